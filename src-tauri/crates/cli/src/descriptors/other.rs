/// There is no such limit.
pub(super) fn raise() {}
