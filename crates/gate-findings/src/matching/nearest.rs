//! Which of findings that are alike are the accepted ones: those nearest to the lines that were accepted.
//!
//! Both sides are put in the order of their lines; the cheapest assignment then never crosses, so that it is found one
//! finding after another.

/// Above so many steps the findings are taken in the order of the report.
const MOST: usize = 1 << 24;

/// What a finding without a line is away from any other.
const FAR: u64 = 1 << 53;

/// For each of `targets`, which are lines in rising order, the index of the finding that is to be covered: in all as
/// near as can be. `lines` are those of the findings, of which there are no fewer.
pub(super) fn nearest(lines: &[Option<u64>], targets: &[u64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..lines.len()).collect();
    if targets.len() > lines.len() || lines.len().saturating_mul(targets.len()) > MOST {
        order.truncate(targets.len());
        return order;
    }
    order.sort_by_key(|&index| lines[index].unwrap_or(u64::MAX));
    let width = targets.len() + 1;
    // costs[t]: of the first t targets among the findings so far; picks: whether the finding was taken for the last.
    let mut costs = vec![u64::MAX; width];
    costs[0] = 0;
    let mut picks = vec![false; (lines.len() + 1) * width];
    for (row, &index) in order.iter().enumerate() {
        for target in (1..=targets.len().min(row + 1)).rev() {
            let away = lines[index].map_or(FAR, |line| line.abs_diff(targets[target - 1]));
            let taken = costs[target - 1].saturating_add(away);
            if taken < costs[target] {
                costs[target] = taken;
                picks[(row + 1) * width + target] = true;
            }
        }
    }
    let mut chosen = vec![0; targets.len()];
    let mut target = targets.len();
    for row in (0..order.len()).rev() {
        if target > 0 && picks[(row + 1) * width + target] {
            target -= 1;
            chosen[target] = order[row];
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_accepted_ones_are_covered_and_the_new_one_is_not() {
        for (lines, targets, expected) in [
            (vec![Some(10), Some(42)], vec![40], vec![1]),
            (vec![Some(21), Some(60), Some(101)], vec![20, 100], vec![0, 2]),
            (vec![Some(101), Some(60), Some(21)], vec![20, 100], vec![2, 0]),
            // Greedy would take 50 for 40 and leave 45 with 90.
            (vec![Some(50), Some(90), Some(10)], vec![40, 45], vec![2, 0]),
            (vec![None, Some(5)], vec![7], vec![1]),
            (vec![None], vec![7], vec![0]),
            (vec![Some(1)], vec![], vec![]),
        ] {
            assert_eq!(nearest(&lines, &targets), expected, "{lines:?} {targets:?}");
        }
    }
}
