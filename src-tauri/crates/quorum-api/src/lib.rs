//! What the desktop app and the command line both do, without Tauri: command bodies and their DTOs.
