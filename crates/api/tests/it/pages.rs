//! The wallet's pages.

use wire::problem::Code;

use crate::world::World;

#[tokio::test]
async fn pages_are_served_with_their_policy_and_nothing_else_is() {
    let world = World::new().await;
    for (path, kind) in [
        ("/wallet/", "text/html"),
        ("/wallet/index.html", "text/html"),
        ("/wallet/assets/main.js", "text/javascript"),
        ("/wallet", "text/html"),
    ] {
        let page = world.http.get(path, &[]).await;
        assert_eq!((page.status, page.header("content-type")), (200, kind), "{path}");
        let policy = page.header("content-security-policy");
        for part in [
            "default-src 'self'",
            "connect-src 'self' http://127.0.0.1:7300",
            "img-src 'self' blob: data:",
            "media-src 'self' blob:",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
    }
    for path in ["/wallet/nothing.js", "/secret.txt", "/wallet/../secret.txt", "/wallet/%2e%2e/secret.txt", "/wallet/..%2fsecret.txt", "/"]
    {
        assert_eq!(world.http.get(path, &[]).await.code(), Code::NotFound, "{path}");
    }
    let posted = world.http.post("/wallet/index.html", &[], vec![]).await;
    assert!(matches!(posted.code(), Code::NotFound | Code::MethodNotAllowed));
    let api = world.http.get("/v1/capture-agent", &[]).await;
    assert_eq!(api.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
    assert_eq!((api.header("cache-control"), api.json()["url"].as_str()), ("no-store", Some("http://127.0.0.1:7300")));
}

#[tokio::test]
async fn a_wallet_opened_at_the_number_goes_to_the_name_where_the_capture_agent_is() {
    let mut world = World::new().await;
    world.stop_platform().await;
    world.capture_agent_url = "http://localhost:7300".into();
    world.start_platform().await;
    let port = world.http.base_url.rsplit_once(':').expect("a port").1.to_owned();
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    for (host, status, location) in
        [(format!("127.0.0.1:{port}"), 307, Some(format!("http://localhost:{port}/wallet/"))), (format!("localhost:{port}"), 200, None)]
    {
        let page = browser.get(format!("{}/wallet/", world.http.base_url)).header("host", &host).send().await.expect("an answer");
        let found = page.headers().get("location").map(|value| value.to_str().expect("ASCII").to_owned());
        assert_eq!((page.status().as_u16(), found), (status, location), "{host}");
    }
}
