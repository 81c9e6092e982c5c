//! stub
use crate::collector::Collector;
use crate::error::ReportError;
use crate::source::Source;
pub(crate) fn read<'r>(source: Source<'r>, _: &mut Collector<'_>) -> Result<Source<'r>, ReportError> {
    Ok(source)
}
