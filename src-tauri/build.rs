//! Build script of the desktop app: keeps capabilities and generated schemas under `src-tauri/`.
use std::{env, fs, path::PathBuf};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    println!("cargo:rerun-if-changed=src-tauri/capabilities");
    // The window's pages are embedded.
    println!("cargo:rerun-if-changed=ui/dist");
    assert!(
        env::var_os("CARGO_FEATURE_CUSTOM_PROTOCOL").is_none() || root.join("ui/dist/index.html").is_file(),
        "ui/dist is not built: run `make ui`, or `npm ci` and `npm run build` in ui/"
    );
    tauri_build::try_build(
        tauri_build::Attributes::new().capabilities_path_pattern("src-tauri/capabilities/**/*.json"),
    )
    .expect("tauri build script");
    // tauri-build writes `gen/` into the working directory, which for this layout is the root.
    let (from, to) = (root.join("gen"), root.join("src-tauri/gen"));
    let _absent_on_first_build = fs::remove_dir_all(&to);
    fs::rename(&from, &to).expect("move gen/ under src-tauri/");
}
