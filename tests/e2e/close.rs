//! The window as the X server sees it: shown or not, and asked to close as a window manager asks.

use x11rb::{
    connection::Connection,
    protocol::xproto::{ClientMessageEvent, ConnectionExt, EventMask, MapState, Window},
    rust_connection::RustConnection,
    wrapper::ConnectionExt as _,
};

use crate::desktop::Desktop;

pub struct Screen {
    connection: RustConnection,
    root: Window,
}

impl Screen {
    pub fn of(desktop: &Desktop) -> Self {
        let (connection, screen) = x11rb::connect(Some(desktop.screen())).expect("the X server takes connections");
        let root = connection.setup().roots[screen].root;
        Self { connection, root }
    }

    fn atom(&self, name: &str) -> u32 {
        self.connection.intern_atom(false, name.as_bytes()).expect("sent").reply().expect("an atom").atom
    }

    /// The app's windows that take part in closing: the one with a title, not GTK's helpers.
    fn window(&self) -> Option<Window> {
        let protocols = self.atom("WM_PROTOCOLS");
        let children = self.connection.query_tree(self.root).expect("sent").reply().expect("windows").children;
        children.into_iter().find(|&window| {
            let class = self.connection.get_property(false, window, 67_u32, 31_u32, 0, 64);
            let class = class.ok().and_then(|class| class.reply().ok()).map(|class| class.value).unwrap_or_default();
            let asked = self.connection.get_property(false, window, protocols, 4_u32, 0, 8);
            let is_asked = asked.ok().and_then(|asked| asked.reply().ok()).is_some_and(|asked| asked.value_len > 0);
            let size = self.connection.get_geometry(window).ok().and_then(|size| size.reply().ok());
            String::from_utf8_lossy(&class).to_lowercase().contains("quorum")
                && is_asked
                && size.is_some_and(|size| size.width > 400)
        })
    }

    /// Whether it can be seen.
    pub fn is_shown(&self) -> bool {
        self.window().is_some_and(|window| {
            let state = self.connection.get_window_attributes(window).ok().and_then(|state| state.reply().ok());
            state.is_some_and(|state| state.map_state == MapState::VIEWABLE)
        })
    }

    /// As the cross in its corner does.
    pub fn ask_to_close(&self) {
        let window = self.window().expect("the app has a window");
        let close = [self.atom("WM_DELETE_WINDOW"), 0, 0, 0, 0];
        let message = ClientMessageEvent::new(32, window, self.atom("WM_PROTOCOLS"), close);
        self.connection.send_event(false, window, EventMask::NO_EVENT, message).expect("sent");
        // Waits for an answer: what is still on its way when the connection is closed may be lost.
        self.connection.sync().expect("the X server has it");
    }
}
