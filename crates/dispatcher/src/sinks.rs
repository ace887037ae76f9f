//! The platform connectors in this program: one line each, or the linker drops them and the registry never sees them.

use sink_google_ads as _;
use sink_google_data_manager as _;
use sink_meta as _;
use sink_tiktok as _;
