//! Asking the name servers: the relay's addresses as every delivery asks for them, and the
//! records of a mail domain by a resolver of our own. What must not live here: what a record
//! means.

use std::net::IpAddr;
use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::ConnectionConfig;
use hickory_resolver::config::NameServerConfig;
use hickory_resolver::config::ProtocolConfig;
use hickory_resolver::config::ResolverConfig;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use hickory_resolver::proto::rr::RecordType;

/// How long one server may take for one answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often each is asked.
const TRIES: usize = 2;

/// No answer, as opposed to the answer that there is nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoAnswer(pub String);

/// Whom names are asked of. Cheap to clone.
#[derive(Clone)]
pub struct Names {
    resolver: Result<TokioResolver, NoAnswer>,
    servers: Vec<String>,
    /// Whether addresses are asked of the operating system, as a delivery does.
    of_system: bool,
}

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Names").field(&self.servers).finish()
    }
}

impl Names {
    /// The name servers of `/etc/resolv.conf`.
    pub fn of_system() -> Names {
        let built = TokioResolver::builder_tokio().and_then(|mut builder| {
            let options = builder.options_mut();
            options.timeout = PATIENCE;
            options.attempts = TRIES;
            builder.build()
        });
        Names {
            resolver: built.map_err(|error| NoAnswer(error.to_string())),
            servers: system_servers(),
            of_system: true,
        }
    }

    /// One name server, for addresses as well.
    pub fn of_server(server: SocketAddr) -> Names {
        let mut connection = ConnectionConfig::new(ProtocolConfig::Udp);
        connection.port = server.port();
        let server_config = NameServerConfig::new(server.ip(), true, vec![connection]);
        let config = ResolverConfig::from_name_servers(vec![server_config]);
        let provider = TokioRuntimeProvider::default();
        let mut builder = TokioResolver::builder_with_config(config, provider);
        let options = builder.options_mut();
        options.timeout = PATIENCE;
        options.attempts = TRIES;
        Names {
            resolver: builder.build().map_err(|error| NoAnswer(error.to_string())),
            servers: vec![server.to_string()],
            of_system: false,
        }
    }

    /// The name servers, for people.
    pub fn servers(&self) -> String {
        match self.servers.is_empty() {
            true => "/etc/resolv.conf".to_owned(),
            false => self.servers.join(", "),
        }
    }

    /// Whether questions leave this machine: then nothing is asked about names that are kept for
    /// tests.
    pub fn asks_the_world(&self) -> bool {
        self.of_system
    }

    /// The addresses of a host; none when it has none.
    pub async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, NoAnswer> {
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(vec![ip]);
        }
        let mut found: Vec<IpAddr> = if self.of_system {
            let addresses = tokio::net::lookup_host((host, 0)).await;
            let addresses = addresses.map_err(|error| NoAnswer(error.to_string()))?;
            addresses.map(|address| address.ip()).collect()
        } else {
            self.addresses_of_domain(host).await?
        };
        let mut seen = std::collections::HashSet::new();
        found.retain(|ip| seen.insert(*ip));
        Ok(found)
    }

    /// The same as the name servers alone tell them: that there is none is told from no answer.
    pub async fn addresses_of_domain(&self, domain: &str) -> Result<Vec<IpAddr>, NoAnswer> {
        match self.resolver()?.lookup_ip(domain).await {
            Ok(found) => Ok(found.iter().collect()),
            Err(error) => nothing(&error),
        }
    }

    /// The TXT records of a name, the parts of each put together; none when there is none.
    pub async fn texts(&self, name: &str) -> Result<Vec<String>, NoAnswer> {
        let records = self.records(name, RecordType::TXT).await?;
        let texts = records.into_iter().filter_map(|record| match record {
            RData::TXT(text) => {
                let bytes: Vec<u8> = text.txt_data.concat();
                Some(String::from_utf8_lossy(&bytes).into_owned())
            }
            _ => None,
        });
        Ok(texts.collect())
    }

    /// The mail servers of a domain, the first one first; none when there is none. A server
    /// without a name says that the domain takes no mail (RFC 7505).
    pub async fn exchanges(&self, domain: &str) -> Result<Vec<String>, NoAnswer> {
        let records = self.records(domain, RecordType::MX).await?;
        let mut servers: Vec<(u16, String)> = records
            .into_iter()
            .filter_map(|record| match record {
                RData::MX(mx) => {
                    let name = mx.exchange.to_ascii();
                    Some((mx.preference, name.trim_end_matches('.').to_owned()))
                }
                _ => None,
            })
            .collect();
        servers.sort();
        Ok(servers.into_iter().map(|(_, name)| name).collect())
    }

    async fn records(&self, name: &str, kind: RecordType) -> Result<Vec<RData>, NoAnswer> {
        // With the dot no search domain of this machine's is tried.
        let name = format!("{}.", name.trim_end_matches('.'));
        match self.resolver()?.lookup(name, kind).await {
            Ok(found) => Ok(found.answers().iter().map(|r| r.data.clone()).collect()),
            Err(error) => nothing(&error),
        }
    }

    fn resolver(&self) -> Result<&TokioResolver, NoAnswer> {
        self.resolver.as_ref().map_err(Clone::clone)
    }
}

/// That there is nothing is an answer as well.
fn nothing<T>(error: &NetError) -> Result<Vec<T>, NoAnswer> {
    match error.is_no_records_found() || error.is_nx_domain() {
        true => Ok(Vec::new()),
        false => Err(NoAnswer(error.to_string())),
    }
}

fn system_servers() -> Vec<String> {
    let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let servers = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some("nameserver")).then(|| words.next())?
    });
    servers.map(str::to_owned).collect()
}
