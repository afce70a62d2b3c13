//! One person, three laws at once: each request keeps its own.

use super::*;
use datarights::engine::Intake;
use datarights::model::{Actor, Channel, Right, Wish};

#[test]
fn requests_of_one_person_under_several_laws_do_not_join() {
    let mut world = World::new();
    world.controller = world
        .controller
        .clone()
        .with_words("criteria", "in their order");
    let engine = world.engine();
    let ask = |regime: &str| {
        let ada = vec![Identifier::mail("Ada@Example.org").unwrap()];
        let intake = Intake::new(Channel::Form, ada, [Wish::of(Right::Access)]).under(regime);
        let submitted = engine.submit(&world.acme, &Actor::Person, intake);
        world.clock.drive(submitted).unwrap().unwrap().remove(0)
    };
    let laws = ["br_lgpd", "us_ca_ccpa", "eu_gdpr"];
    let requests = laws.map(|law| ask(law).request);
    assert!(
        ask("br_lgpd").joined == Some(requests[0]),
        "the same twice is one"
    );
    world.work(&engine);

    // By what falls due first: the answer in Brazil and the receipt in California.
    let eve = staff("eve");
    let all = engine.due(
        &world.acme,
        &eve,
        "2027-01-01T00:00:00Z".parse().unwrap(),
        10,
    );
    let due = world.clock.drive(all).unwrap().unwrap();
    let order: Vec<_> = due.iter().map(|due| due.request).collect();
    assert_eq!(
        order,
        [requests[0], requests[2], requests[1]],
        "17 March, 2 April, 16 April"
    );

    for (request, law) in requests.into_iter().zip(laws) {
        world.approve(&engine, request);
        world.work(&engine);
        let answer = letter(&world, request, "response");
        assert_eq!(answer.regime, law);
    }
    let first = |number: usize| {
        let answer = letter(&world, requests[number], "response");
        answer.contents.first().map(|said| said.item.clone())
    };
    assert_eq!(first(0).as_deref(), Some("origin"));
    assert_eq!(first(1), None, "California lists nothing for this answer");
    assert_eq!(first(2).as_deref(), Some("confirmation"));
}
