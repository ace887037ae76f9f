//! `signalbox sandbox`

use std::io::Write as _;
use std::net::SocketAddr;

use anyhow::Context as _;
use platform_sandbox::Sandbox;
use tokio::net::TcpListener;

use super::Verdict;

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
    let listener = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("cannot listen on {}", arguments.listen))?;
    let base = format!("http://{}", listener.local_addr()?);
    writeln!(
        std::io::stdout(),
        "sandbox of TikTok and Google Ads on {base}\n\n\
         Point the service at it:\n  \
         TIKTOK_BASE_URL={base} TIKTOK_PIXEL_ID=PIXEL TIKTOK_ACCESS_TOKEN=sandbox-token \\\n  \
         GOOGLE_ADS_BASE_URL={base} GOOGLE_ADS_TOKEN_URL={base}/token GOOGLE_ADS_CLIENT_ID=id \\\n  \
         GOOGLE_ADS_CLIENT_SECRET=secret GOOGLE_ADS_REFRESH_TOKEN=refresh GOOGLE_ADS_CUSTOMER_ID=1234567890 \\\n  \
         GOOGLE_ADS_CONVERSION_ACTIONS=TRIAL_BOOKED=111,TRIAL_RESCHEDULED=111 signalbox serve\n\n\
         What it received: {base}/__report"
    )?;
    Sandbox::new(arguments.seed).serve(listener, super::serve::stop_signal()).await?;
    Ok(Verdict::Good)
}
