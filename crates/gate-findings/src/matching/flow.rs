//! A maximum flow from classes of findings to evidence: Dinic's algorithm, without recursion.
//!
//! Nodes: the source, the classes, the evidence, the sink. Capacities: the number of findings of a class, no
//! limit between a class and evidence that fits it, and the count of the evidence. An arc and its reverse are
//! neighbours in `arcs`, so that `arc ^ 1` is the other one.

/// What may flow from which class to which evidence.
pub(super) struct Network {
    classes: usize,
    evidence: usize,
    /// Where an arc leads, and what may still flow along it.
    arcs: Vec<(usize, u64)>,
    /// The arcs that leave each node.
    leaving: Vec<Vec<usize>>,
}

const SOURCE: usize = 0;

/// No node gives or takes more, so that no sum below can overflow, whatever counts somebody wrote.
const MOST: u64 = u64::MAX >> 2;

const fn node_of_class(class: usize) -> usize {
    1 + class
}

impl Network {
    /// A network with the findings of each class, and the count of each evidence.
    pub(super) fn new(findings: &[u64], counts: &[u64]) -> Self {
        let (classes, evidence) = (findings.len(), counts.len());
        let mut network =
            Self { classes, evidence, arcs: Vec::new(), leaving: vec![Vec::new(); classes + evidence + 2] };
        for (class, &count) in findings.iter().enumerate() {
            network.connect(SOURCE, node_of_class(class), count.min(MOST));
        }
        for (index, &count) in counts.iter().enumerate() {
            network.connect(network.evidence(index), network.sink(), count.min(MOST));
        }
        network
    }

    const fn evidence(&self, index: usize) -> usize {
        1 + self.classes + index
    }

    const fn sink(&self) -> usize {
        1 + self.classes + self.evidence
    }

    fn connect(&mut self, from: usize, to: usize, capacity: u64) -> usize {
        let arc = self.arcs.len();
        self.arcs.push((to, capacity));
        self.arcs.push((from, 0));
        self.leaving[from].push(arc);
        self.leaving[to].push(arc + 1);
        arc
    }

    /// Says that `evidence` fits `class`, and sends as much as goes at once: a good start decides which
    /// evidence is preferred where several would do. Returns the arc, for [`Self::flow`].
    pub(super) fn offer(&mut self, class: usize, evidence: usize) -> usize {
        // The source's arcs come first, then the sink's, each with its reverse.
        let (supply, demand) = (2 * class, 2 * (self.classes + evidence));
        let amount = self.arcs[supply].1.min(self.arcs[demand].1);
        let arc = self.connect(node_of_class(class), self.evidence(evidence), u64::MAX >> 1);
        for used in [supply, arc, demand] {
            self.push(used, amount);
        }
        arc
    }

    fn push(&mut self, arc: usize, amount: u64) {
        self.arcs[arc].1 -= amount;
        self.arcs[arc ^ 1].1 += amount;
    }

    /// What flows along an arc that [`Self::offer`] returned.
    pub(super) fn flow(&self, arc: usize) -> u64 {
        self.arcs[arc ^ 1].1
    }

    /// Augments until nothing more can flow.
    pub(super) fn maximise(&mut self) {
        while let Some(mut levels) = self.levels() {
            let mut next = vec![0; self.leaving.len()];
            while let Some(path) = self.path(&mut levels, &mut next) {
                let amount = path.iter().map(|&arc| self.arcs[arc].1).min().unwrap_or(0);
                for arc in path {
                    self.push(arc, amount);
                }
            }
        }
    }

    /// The distance of each node from the source along arcs that still carry; `None` if the sink is out of reach.
    fn levels(&self) -> Option<Vec<usize>> {
        let mut levels = vec![usize::MAX; self.leaving.len()];
        let mut queue = std::collections::VecDeque::from([SOURCE]);
        levels[SOURCE] = 0;
        while let Some(node) = queue.pop_front() {
            for &arc in &self.leaving[node] {
                let (to, room) = self.arcs[arc];
                if room > 0 && levels[to] == usize::MAX {
                    levels[to] = levels[node] + 1;
                    queue.push_back(to);
                }
            }
        }
        (levels[self.sink()] != usize::MAX).then_some(levels)
    }

    /// A shortest path that still carries. `next` remembers which arcs of a node are spent in this phase, and
    /// a node that leads nowhere loses its level.
    fn path(&self, levels: &mut [usize], next: &mut [usize]) -> Option<Vec<usize>> {
        let mut path: Vec<usize> = Vec::new();
        let mut node = SOURCE;
        while node != self.sink() {
            if let Some(&arc) = self.leaving[node].get(next[node]) {
                let (to, room) = self.arcs[arc];
                if room > 0 && levels[to] == levels[node].wrapping_add(1) {
                    path.push(arc);
                    node = to;
                } else {
                    next[node] += 1;
                }
            } else {
                levels[node] = usize::MAX;
                let arc = path.pop()?;
                node = self.arcs[arc ^ 1].0;
            }
        }
        Some(path)
    }
}
