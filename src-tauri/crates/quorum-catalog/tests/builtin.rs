//! The built-in catalog as a whole.

use quorum_catalog::{Severity, builtin};

#[test]
fn the_built_in_catalog_has_no_errors_and_no_warnings() {
    let serious: Vec<_> = builtin().problems().iter().filter(|problem| problem.severity != Severity::Note).collect();
    let shown: Vec<_> = serious.iter().map(ToString::to_string).collect();
    assert_eq!(shown, Vec::<String>::new());
    assert_eq!((builtin().topics().len(), builtin().policies().count()), (18, 72));
    for p in builtin().problems() {
        println!("{p}");
    }
}
