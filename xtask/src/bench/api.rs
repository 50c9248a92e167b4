//! The few calls of gatepost's API that a bench makes itself: as an integrator would.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Result;

/// A client of one gatepost.
pub struct Api {
    agent: ureq::Agent,
    base: String,
}

/// Somebody who registered.
pub struct Member {
    pub email: String,
    pub password: String,
    /// The token of a session.
    pub token: String,
}

impl Api {
    /// A client of the gatepost at `address`.
    pub fn new(address: &str) -> Api {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(90)))
            .http_status_as_error(false)
            .build();
        Api {
            agent: config.into(),
            base: format!("http://{address}/api/v1"),
        }
    }

    fn get(&self, path: &str) -> Result<Value> {
        let answer = self.agent.get(format!("{}{path}", self.base)).call()?;
        body(path, answer)
    }

    fn post(&self, path: &str, form: &Value) -> Result<Value> {
        let answer = self
            .agent
            .post(format!("{}{path}", self.base))
            .send_json(form)?;
        body(path, answer)
    }

    /// How many mails the inbox holds.
    pub fn captured(&self) -> Result<u64> {
        let page = self.get("/inbox/messages?limit=1")?;
        page["total"]
            .as_u64()
            .ok_or_else(|| format!("the list of mails has no total: {page}").into())
    }

    /// Lists the newest mails `times` times and tells how long each took.
    pub fn list(&self, times: usize) -> Result<Vec<Duration>> {
        (0..times)
            .map(|_| {
                let start = Instant::now();
                let page = self.get("/inbox/messages")?;
                let took = start.elapsed();
                let items = page["items"].as_array().map_or(0, Vec::len);
                if items == 0 {
                    return Err(format!("the newest page is empty: {page}").into());
                }
                Ok(took)
            })
            .collect()
    }

    /// Registers `email` as a person would: asks for a code, reads it in the mail, presents it.
    pub fn register(&self, email: &str) -> Result<Member> {
        let password = "correct horse battery staple 47";
        let purpose = "register";
        self.post(
            "/auth/send_verification_code",
            &json!({ "email": email, "verification_type": purpose }),
        )?;
        let mail = self.get(&format!("/inbox/wait?to={email}&timeout=20"))?;
        let code = mail["codes"][0]
            .as_str()
            .ok_or_else(|| format!("no code in the mail: {mail}"))?;
        let verified = self.post(
            "/auth/verify_code",
            &json!({ "email": email, "verification_type": purpose, "code": code }),
        )?;
        let registered = self.post(
            "/auth/register",
            &json!({
                "email": email,
                "password": password,
                "verification_token": verified["verification_token"],
            }),
        )?;
        let token = registered["session"]["token"]
            .as_str()
            .ok_or_else(|| format!("no session after registering: {registered}"))?;
        Ok(Member {
            email: email.to_owned(),
            password: password.to_owned(),
            token: token.to_owned(),
        })
    }
}

fn body(path: &str, mut answer: ureq::http::Response<ureq::Body>) -> Result<Value> {
    let status = answer.status();
    let text = answer.body_mut().read_to_string()?;
    if !status.is_success() {
        return Err(format!("{path} answers {status}: {text}").into());
    }
    serde_json::from_str(&text)
        .map_err(|error| format!("{path} answers {status}, {error}: {text}").into())
}
