use sidetone_gateway::{Asset, Ui, mime_of};
use tauri::{AppHandle, AssetResolver, Wry};

/// The window's own pages, for the gateway to serve to a browser.
pub(crate) fn of(app: &AppHandle) -> Ui {
    let assets: AssetResolver<Wry> = app.asset_resolver();
    Ui::embedded(move |path| {
        // Not `get`, which answers with the first page where there is no such file.
        let (_, bytes) = assets.iter().find(|(name, _)| name.trim_start_matches('/') == path)?;
        Some(Asset { bytes: bytes.into_owned().into(), mime: mime_of(path).into() })
    })
}
