//! The request and its way.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use conversion_core::exchange::{Body, Exchange, Request};
use conversion_core::failure::{Failure, FailureClass, HoldScope};
use conversion_core::report::SendReport;
use conversion_core::secret::Secret;
use conversion_core::sink::CheckReport;
use http_exchange::{Answer, FullReply, Token};

use super::{Acme, Defect};

impl Acme {
    pub(super) async fn exchange(&self, request: Arc<Request>) -> SendReport {
        if self.has(Defect::BusyForEver) && self.is_busy.swap(true, Ordering::Relaxed) {
            return SendReport::failed(Vec::new(), Failure::new(FailureClass::Interrupted, "busy"));
        }
        let report = self.exchange_once(request).await;
        self.is_busy.store(false, Ordering::Relaxed);
        report
    }

    async fn exchange_once(&self, request: Arc<Request>) -> SendReport {
        if self.has(Defect::SentSingly) && request.body.len() > 1 {
            let mut report = None;
            for position in 0..request.body.len() {
                let json = request.body.with_item_alone(position).unwrap_or_default();
                let single = Request { body: Body::from_recorded(json, Vec::new()), ..(*request).clone() };
                report = Some(self.answered(&Arc::new(single)).await);
            }
            if let Some(Ok((exchange, _))) = report {
                let exchange = Exchange { request, ..exchange };
                return SendReport::all_delivered(vec![exchange]);
            }
            return SendReport::failed(
                Vec::new(),
                Failure::new(FailureClass::Interrupted, "one of them failed"),
            );
        }
        let mut answered = self.answered(&request).await;
        if self.has(Defect::Retries) && answered.as_ref().is_ok_and(|(_, reply)| reply.status >= 500) {
            answered = self.answered(&request).await;
        }
        match answered {
            Ok((exchange, reply)) => self.report(exchange, &reply),
            Err((exchanges, failure)) => SendReport::failed(exchanges, self.mistaken(failure)),
        }
    }

    /// The answer, after a token has been renewed where the first was refused.
    async fn answered(
        &self,
        request: &Arc<Request>,
    ) -> Result<(Exchange, FullReply), (Vec<Exchange>, Failure)> {
        let Some(token_url) = &self.config.token_url else {
            if self.has(Defect::TokenForNothing) {
                let url = self.config.base_url.replace("/api", "/kit/token");
                drop(self.client.post_form(&url, &[]).await);
            }
            return self.once(request, None).await;
        };
        let token = self.token(token_url).await.map_err(|failure| (Vec::new(), failure))?;
        let first = self.once(request, Some(&token.secret)).await?;
        if first.1.status != 401 {
            return Ok(first);
        }
        let renewed = match self.config.defect {
            Defect::TokenRenewedByEach => self.fetch(token_url).await.map(Arc::new),
            _ => self.tokens.renew(&token, self.fetch(token_url)).await,
        };
        let renewed = renewed.map_err(|failure| (Vec::new(), failure))?;
        self.once(request, Some(&renewed.secret)).await
    }

    async fn once(
        &self,
        request: &Arc<Request>,
        token: Option<&Secret>,
    ) -> Result<(Exchange, FullReply), (Vec<Exchange>, Failure)> {
        let Answer { exchange, result } = self.client.exchange(request, token).await;
        match result {
            Ok(reply) => Ok((exchange, reply)),
            Err(failure) => Err((vec![exchange], failure)),
        }
    }

    async fn token(&self, url: &str) -> Result<Arc<Token>, Failure> {
        match self.config.defect {
            Defect::TokenForEach => self.fetch(url).await.map(Arc::new),
            _ => self.tokens.get(self.fetch(url)).await,
        }
    }

    async fn fetch(&self, url: &str) -> Result<Token, Failure> {
        let failed = |failure: Failure| match self.config.defect {
            Defect::TokenFailureInterrupted => failure,
            _ => Failure::new(FailureClass::Unreachable, failure.message),
        };
        let reply = self.client.post_form(url, &[("key", self.config.exposed())]).await.map_err(failed)?;
        if reply.body.contains(self.config.exposed()) {
            return Err(Failure::new(FailureClass::Unreachable, "no token"));
        }
        Ok(Token::new(Secret::new(reply.body.trim()), Duration::from_secs(3600)))
    }

    fn mistaken(&self, failure: Failure) -> Failure {
        let class = match (self.config.defect, failure.class) {
            (Defect::UnreachableMistaken, FailureClass::Unreachable) => FailureClass::Interrupted,
            (Defect::CutMistaken, FailureClass::Interrupted) if !failure.message.contains("time limit") => {
                FailureClass::Unreachable
            }
            (Defect::SilenceMistaken, FailureClass::Interrupted)
                if failure.message.contains("time limit") =>
            {
                FailureClass::Unreachable
            }
            (_, class) => class,
        };
        Failure { class, ..failure }
    }

    pub(super) async fn try_credentials(&self) -> Result<CheckReport, Failure> {
        let sound = || CheckReport { summary: "Specimen takes items".to_owned() };
        if self.has(Defect::CheckBlind) {
            return Ok(sound());
        }
        if let Some(sentence) = self.missing.as_ref().filter(|_| !self.has(Defect::CheckWithoutCredentials)) {
            return Err(Failure::new(FailureClass::Unauthorized { scope: HoldScope::Sink }, sentence));
        }
        let report = self.exchange(Arc::new(self.request(&[]))).await;
        match report.verdict() {
            Err(failure) if matches!(failure.class, FailureClass::Unauthorized { .. }) => {
                Err(failure.clone())
            }
            Err(failure) if failure.class == FailureClass::Unreachable => match self
                .has(Defect::CheckMistaken)
            {
                true => Err(Failure::new(FailureClass::Unauthorized { scope: HoldScope::Sink }, "refused")),
                false => Err(failure.clone()),
            },
            // An empty batch is answered for none, which tells as much as any answer.
            _ => Ok(sound()),
        }
    }
}
