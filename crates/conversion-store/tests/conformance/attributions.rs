//! What visits left behind.

use conversion_core::attribution::{Attribution, Click};

use super::Backend;
use super::fixture::{Fixture, at};

fn visit(id: &str, seconds: i64, clicks: &[(&str, &str)]) -> Attribution {
    let click = |(name, value): &(&str, &str)| {
        ((*name).to_owned(), Click { value: (*value).to_owned(), at: at(seconds) })
    };
    Attribution { clicks: clicks.iter().map(click).collect(), ..Attribution::new(id, at(seconds)) }
}

async fn read(fixture: &Fixture, ids: &[&str]) -> Vec<Attribution> {
    let ids: Vec<_> = ids.iter().map(|id| (*id).to_owned()).collect();
    let mut found = fixture.store.attributions(&ids).await.unwrap();
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found
}

pub(crate) async fn the_first_write_of_a_click_id_wins(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let first = Attribution {
        page_url: Some(format!("https://school.example/{}", "trial/".repeat(60))),
        ip: Some("203.0.113.7".parse().unwrap()),
        ..visit("a", 1, &[("gclid", "G1")])
    };
    fixture.store.keep_attributions(std::slice::from_ref(&first)).await.unwrap();
    assert_eq!(read(&fixture, &["a"]).await, std::slice::from_ref(&first));

    fixture.store.keep_attributions(&[visit("a", 5, &[("gclid", "G2"), ("ttclid", "T")])]).await.unwrap();
    let kept = read(&fixture, &["a"]).await.remove(0);
    assert_eq!((kept.clicked_at("gclid", "G1"), kept.clicked_at("ttclid", "T")), (Some(at(1)), Some(at(5))));
    assert_eq!((kept.first_seen, kept.last_seen), (at(1), at(5)));
    assert_eq!((kept.page_url, kept.ip), (first.page_url, first.ip));
}

pub(crate) async fn visits_of_one_call_are_joined_in_order(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let visits = [
        visit("a", 1, &[("gclid", "first")]),
        visit("b", 2, &[("gclid", "of b")]),
        visit("a", 3, &[("gclid", "second")]),
    ];
    fixture.store.keep_attributions(&visits).await.unwrap();
    let kept = read(&fixture, &["b", "unknown", "a", "a"]).await;
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[0].clicks["gclid"].value, "first");
    assert_eq!(kept[0].last_seen, at(3));
    assert_eq!(kept[1].clicks["gclid"].value, "of b");
    assert!(fixture.store.attributions(&[]).await.unwrap().is_empty());
}

pub(crate) async fn the_oldest_attributions_are_forgotten_first(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let visits = [("d", 4), ("a", 1), ("c", 3), ("b", 2)].map(|(id, seconds)| visit(id, seconds, &[]));
    fixture.store.keep_attributions(&visits).await.unwrap();
    // Seen again, so no longer the oldest.
    fixture.store.keep_attributions(&[visit("a", 9, &[])]).await.unwrap();

    let left = async || {
        let left = read(&fixture, &["a", "b", "c", "d"]).await;
        left.into_iter().map(|attribution| attribution.id).collect::<Vec<_>>()
    };
    assert_eq!(fixture.store.forget_attributions(at(4), 1).await.unwrap(), 1);
    assert_eq!(left().await, ["a", "c", "d"]);
    assert_eq!(fixture.store.forget_attributions(at(4), 10).await.unwrap(), 1);
    assert_eq!(left().await, ["a", "d"]);
    assert_eq!(fixture.store.forget_attributions(at(4), 10).await.unwrap(), 0);
}
