//! Settings beside what is no concern of ours: other people's lines in `.env`, what Kubernetes
//! sets, hosts as people write them, and what is warned of because it is easily overlooked.

use crate::config::Project;

#[test]
fn a_service_that_captures_warns_that_no_mail_goes_out() {
    let warnings = Project::new().load().unwrap().warnings;
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("NO MAIL GOES OUT"), "{warnings:?}");
    assert!(Project::new().dev().load().unwrap().warnings.is_empty());
}

#[test]
fn lines_of_dotenv_that_are_no_concern_of_ours_are_skipped_with_a_warning() {
    let project = Project::new().dev().file(
        ".env",
        "DEBUG\nSLOGAN='tis the hunter2 season\nEMAIL_HOST='smtp.example.com'\nKEY=\"hunter2\n",
    );
    let settings = project.load().unwrap();
    assert_eq!(settings.relay.host.as_deref(), Some("smtp.example.com"));
    let said = project.relative(&settings.warnings.join("\n"));
    assert_eq!(
        said,
        ".env:1: expected NAME=value; the line is skipped\n\
         .env:2: the quote is never closed; the line is skipped\n\
         .env:4: the quote is never closed; the line is skipped"
    );
    for ours in [
        "GATEPOST_LOG_LEVEL info",
        "export EMAIL_USE_TLS",
        "EMAIL_HOST='smtp.example.com",
    ] {
        let errors = Project::new().file(".env", ours).errors();
        assert!(errors.starts_with(".env:1: "), "{ours}: {errors}");
    }
}

#[test]
fn what_kubernetes_sets_for_a_service_called_gatepost_is_ignored() {
    let mut project = Project::new();
    for name in [
        "GATEPOST_SERVICE_HOST",
        "GATEPOST_SERVICE_PORT",
        "GATEPOST_SERVICE_PORT_HTTP",
        "GATEPOST_PORT",
        "GATEPOST_PORT_8000_TCP",
        "GATEPOST_PORT_8000_TCP_ADDR",
        "GATEPOST_PORT_8000_TCP_PORT",
        "GATEPOST_PORT_8000_TCP_PROTO",
    ] {
        project = project.env(name, "tcp://10.0.0.1:8000");
    }
    assert_eq!(project.errors(), "(none)");
    for name in [
        "GATEPOST_PORTS",
        "GATEPOST_SERVICE_HOSTS",
        "GATEPOST_PORT_HTTP_TCP",
        "GATEPOST_PORT_80_TCP_X",
    ] {
        let errors = Project::new().env(name, "x").errors();
        assert!(errors.contains(name), "{errors}");
    }
    // Nobody but a person writes them there.
    let errors = Project::new().file(".env", "GATEPOST_PORT=80\n").errors();
    assert!(errors.contains("GATEPOST_PORT"), "{errors}");
}

#[test]
fn hosts_are_read_as_they_are_looked_up() {
    let relay = |host: &str, hello: &str| {
        let project = Project::new()
            .env("EMAIL_HOST", host)
            .env("GATEPOST_RELAY_HELLO_NAME", hello);
        let relay = project.load().unwrap().relay;
        (relay.host.unwrap(), relay.hello_name.unwrap())
    };
    let read = |host: &str, hello: &str| (host.to_owned(), hello.to_owned());
    assert_eq!(relay("[::1]", "[::1]"), read("::1", "[IPv6:::1]"));
    assert_eq!(
        relay("邮件.example", "192.0.2.1"),
        read("xn--5nq051n.example", "[192.0.2.1]")
    );
    assert_eq!(
        relay("SMTP.example.com", "a.example"),
        read("smtp.example.com", "a.example")
    );
}
