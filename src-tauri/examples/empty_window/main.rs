//! A Tauri window with one line of text and nothing behind it: what `make bench` measures Quorum's start and rest against.

fn main() {
    tauri::Builder::default()
        .run(tauri::generate_context!("src-tauri/examples/empty_window/tauri.conf.json"))
        .expect("the window opens");
}
