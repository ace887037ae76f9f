//! What can be wrong with the specimen.

use serde::Deserialize;

macro_rules! defects {
    ($($name:ident),+ $(,)?) => {
        /// One thing that is wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
        pub(crate) enum Defect {
            None,
            $($name),+
        }

        impl Defect {
            pub(crate) const ALL: &[Self] = &[$(Self::$name),+];
        }
    };
}

defects! {
    NotAnnounced,
    PlatformMisnamed, BatchOfNone,
    DocsUnlinked,
    ExampleRefused, ExampleShort,
    NothingMapped, SettingsRefused,
    UnknownIgnored, ErrorNamesNothing,
    VariableOfNothing,
    SecretPrinted,
    BookingSkipped, ItemRewritten,
    Counting,
    Panics,
    NamesTwice,
    OwnIdSent,
    KeyMissing, KeyOfName, KeyOfTime, KeyOfAll,
    TargetUnstated, TargetOfUnmapped,
    MissingCredentialsRefused, MissingCredentialsSent, MissingOutOfOrder,
    UnmappedSent, BlankTargetSent,
    ScreenIgnored,
    NobodySent,
    IdentifiersFirst, ScreenFirst,
    ValueWanted,
    FieldAdded,
    EmailRaw, AddressRaw,
    SentSingly,
    ItemsUnmarked, OwnReplyPanics,
    OutcomesReversed, AtomicDelivered, BlameAll,
    TestModeUnseen, TestModeTaken, TestModeNotInUrl,
    PersonLogged, SecretLogged, SecretInFailure, SecretRecorded,
    RefusalsFinal,
    LimitsFinal, WaitForgotten,
    ServerErrorsFinal,
    UnreachableMistaken,
    CutMistaken, TokenFailureInterrupted,
    SilenceMistaken,
    StatusBelieved, PagesFinal,
    RubbishBelieved,
    CodesUnread, CodesUntold,
    Retries,
    TokenForEach, TokenRenewedByEach, TokenForNothing,
    BusyForEver,
    CheckBlind, CheckMistaken, CheckWithoutCredentials,
}
