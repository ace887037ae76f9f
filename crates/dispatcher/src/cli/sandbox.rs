//! `signalbox sandbox`

use std::io::Write as _;
use std::net::SocketAddr;

use anyhow::Context as _;
use platform_sandbox::{AcuitySettings, QstashSettings, Sandbox, SigningKeys};
use tokio::net::TcpListener;

use super::Verdict;
use super::serve::StopSignal;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9100")]
    listen: SocketAddr,
    /// Seed of the faults' randomness.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(super) async fn run(arguments: &Arguments) -> anyhow::Result<Verdict> {
    anyhow::ensure!(
        arguments.listen.ip().is_loopback(),
        "the sandbox listens on loopback only, such as 127.0.0.1:9100"
    );
    let mut stop_signal = StopSignal::listen()?;
    let listener = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("cannot listen on {}", arguments.listen))?;
    let AcuitySettings { user_id, api_key, .. } = AcuitySettings::default();
    let base = format!("http://{}", listener.local_addr()?);
    let sandbox = Sandbox::new(arguments.seed);
    let SigningKeys { current, next } = sandbox.qstash().keys();
    let token = QstashSettings::default().token;
    writeln!(
        std::io::stdout(),
        "sandbox of TikTok, Google Ads, Google Data Manager, Meta, Acuity and QStash on {base}\n\n\
         Point the service at it:\n  \
         SIGNALBOX_SINKS=tiktok,google-ads,google-data-manager,meta \\\n  \
         TIKTOK_BASE_URL={base} TIKTOK_PIXEL_ID=PIXEL TIKTOK_ACCESS_TOKEN=sandbox-token \\\n  \
         GOOGLE_ADS_BASE_URL={base} GOOGLE_ADS_TOKEN_URL={base}/token GOOGLE_ADS_CLIENT_ID=id \\\n  \
         GOOGLE_ADS_CLIENT_SECRET=secret GOOGLE_ADS_REFRESH_TOKEN=refresh GOOGLE_ADS_CUSTOMER_ID=1234567890 \\\n  \
         GOOGLE_ADS_CONVERSION_ACTIONS=TRIAL_BOOKED=111,TRIAL_RESCHEDULED=111 \\\n  \
         GOOGLE_DATA_MANAGER_BASE_URL={base} GOOGLE_DATA_MANAGER_TOKEN_URL={base}/token \\\n  \
         GOOGLE_DATA_MANAGER_CLIENT_ID=id GOOGLE_DATA_MANAGER_CLIENT_SECRET=secret \\\n  \
         GOOGLE_DATA_MANAGER_REFRESH_TOKEN=refresh GOOGLE_DATA_MANAGER_OPERATING_ACCOUNT=1234567890 \\\n  \
         GOOGLE_DATA_MANAGER_CONVERSION_ACTION=333 \\\n  \
         META_BASE_URL={base} META_DATASET_ID=1234567890 META_ACCESS_TOKEN=sandbox-token \\\n  \
         SIGNALBOX_SOURCES=acuity ACUITY_BASE_URL={base} ACUITY_USER_ID={user_id} ACUITY_API_KEY={api_key} ACUITY_TRIAL_TYPES=1 \\\n  \
         signalbox serve\n\n\
         Point Acuity at the service, and book:\n  \
         curl {base}/__config -d '{{\"acuity\": {{\"webhook_target\": \
         \"http://127.0.0.1:8080/api/webhooks/acuity/acuity\"}}}}'\n  \
         curl {base}/__acuity/book -d '{{\"datetime\": \"2027-01-15T10:15:00-0500\", \
         \"email\": \"ann@example.com\"}}'\n\n\
         Where its queue is QStash, besides:\n  \
         QSTASH_URL={base} QSTASH_TOKEN={token} \\\n  \
         QSTASH_CURRENT_SIGNING_KEY={current} QSTASH_NEXT_SIGNING_KEY={next}\n\n\
         What it received: {base}/__report"
    )?;
    sandbox.serve(listener, async move { stop_signal.received().await }).await?;
    Ok(Verdict::Good)
}
