use super::{DialPlan, Dialled};
use sidetone_api::{AccountId, CallSettings, DialRule};

fn rule(pattern: &str, replace: &str) -> DialRule {
    DialRule { pattern: pattern.into(), replace: replace.into(), account_id: None, refuse: false }
}

fn plan(rules: Vec<DialRule>) -> CallSettings {
    CallSettings { dial_plan: rules, ..CallSettings::default() }
}

fn apply(rules: &[DialRule], number: &str, account: Option<&AccountId>) -> Dialled {
    DialPlan::of(&plan(rules.to_vec())).unwrap().apply(number, account)
}

fn replaced(number: &str) -> Dialled {
    Dialled::Replaced { number: number.into(), account: None }
}

#[test]
fn the_first_rule_that_matches_the_whole_number_decides() {
    let rules = [rule("00(.+)", "+$1"), rule("0([1-9].*)", "+49$1"), rule("0.*", "never")];
    assert_eq!(apply(&rules, "0030123", None), replaced("+30123"));
    assert_eq!(apply(&rules, "030123", None), replaced("+4930123"));
    assert_eq!(apply(&rules, "1030123", None), Dialled::Unchanged);
    // Both sides of an alternative are anchored.
    assert_eq!(apply(&[rule("1|2", "x")], "12", None), Dialled::Unchanged);
    assert_eq!(apply(&[rule("(?P<n>\\d{3})", "${n}0")], "123", None), replaced("1230"));
}

#[test]
fn a_rule_can_refuse_and_can_name_its_account() {
    let refuse = DialRule { refuse: true, ..rule("0900.*", "") };
    assert!(matches!(apply(&[refuse], "0900123", None), Dialled::Refused(why) if why.contains("0900123")));
    let work = AccountId::new("work");
    let mine = DialRule { account_id: Some(work.clone()), ..rule("7(.*)", "$1") };
    let at_work = Dialled::Replaced { number: "12".into(), account: Some(work.clone()) };
    assert_eq!(apply(std::slice::from_ref(&mine), "712", None), at_work);
    assert_eq!(apply(std::slice::from_ref(&mine), "712", Some(&work)), at_work);
    assert_eq!(apply(&[mine], "712", Some(&AccountId::new("home"))), Dialled::Unchanged);
}

#[test]
fn a_wrong_rule_is_named() {
    for (rules, field, word) in [
        (vec![rule("1", "2"), rule("(", "x")], "calls.dialPlan[1].match", "rule 2"),
        (vec![rule("", "x")], "calls.dialPlan[0].match", "empty"),
        (vec![rule("1)|(2", "x")], "calls.dialPlan[0].match", "rule 1"),
        (vec![rule("(\\w{200}){200}", "x")], "calls.dialPlan[0].match", "too large"),
        (vec![rule("0(.+)", "$2")], "calls.dialPlan[0].replace", "$2"),
        (vec![rule("0(.+)", "$1x")], "calls.dialPlan[0].replace", "$1x"),
        (vec![rule("0(.+)", " ")], "calls.dialPlan[0].replace", "refused"),
        (vec![rule(&"1".repeat(257), "x")], "calls.dialPlan[0].match", "256"),
        (vec![rule("1", "x"); 201], "calls.dialPlan", "200"),
    ] {
        let failure = DialPlan::of(&plan(rules)).unwrap_err();
        assert_eq!(failure.field.as_deref(), Some(field));
        assert!(failure.message.contains(word), "{failure}");
    }
    assert!(DialPlan::of(&plan(vec![rule("0(.+)", "+49$1"), rule("1", "$$${0}")])).is_ok());
}

#[test]
fn emergency_numbers_are_those_of_the_world_and_those_of_the_settings() {
    let settings =
        CallSettings { emergency_numbers: vec!["110".into(), "9-1 1 2".into()], ..Default::default() };
    let plan = DialPlan::of(&settings).unwrap();
    for number in ["112", "911", "110", "9112"] {
        assert!(plan.is_emergency(number), "{number}");
    }
    assert!(!plan.is_emergency("113") && !plan.is_emergency("1120"));
    for wrong in ["", "help", "+", "112;ext=1"] {
        let settings = CallSettings { emergency_numbers: vec![wrong.into()], ..Default::default() };
        assert_eq!(DialPlan::of(&settings).unwrap_err().field.as_deref(), Some("calls.emergencyNumbers"));
    }
}
