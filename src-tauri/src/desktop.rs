//! The desktop's notification service, as each platform has it.
//!
//! Deliberately not here: what is worth a notification, see [`crate::notify`].

use notify_rust::Notification;

/// One notification.
pub struct Message {
    /// 45 characters or less.
    pub title: String,
    pub body: String,
    /// The id of the one it takes the place of, or 0.
    pub replaces: u32,
    /// It stays until it is dismissed, where the platform can.
    pub is_urgent: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum DesktopError {
    #[error("the notification service did not take it: {0}")]
    Refused(#[from] notify_rust::error::Error),
    #[cfg(not(target_os = "linux"))]
    #[error("the notification was interrupted")]
    Interrupted(#[from] tauri::Error),
}

#[cfg(target_os = "linux")]
mod platform {
    use notify_rust::{Hint, NotificationHandle, NotificationResponse, Urgency};

    use super::{DesktopError, Message, Notification};

    pub struct Shown(NotificationHandle);

    impl Shown {
        pub fn id(&self) -> u32 {
            self.0.id()
        }

        /// Waits until it is clicked (true) or gone.
        pub async fn clicked(self) -> bool {
            let mut is_clicked = false;
            self.0
                .wait_for_action_async(|response: &NotificationResponse| {
                    is_clicked = matches!(response, NotificationResponse::Default | NotificationResponse::Action(_));
                })
                .await;
            is_clicked
        }
    }

    pub async fn show(message: &Message) -> Result<Shown, DesktopError> {
        let mut notification = Notification::new();
        notification
            .appname("Quorum")
            .icon("quorum")
            .summary(&message.title)
            // Servers may read the body as markup, and names of datasets may hold anything.
            .body(&escaped(&message.body))
            .hint(Hint::DesktopEntry("Quorum".to_owned()))
            .hint(Hint::Urgency(if message.is_urgent { Urgency::Critical } else { Urgency::Normal }))
            .action("default", "Open Quorum");
        if message.replaces > 0 {
            notification.id(message.replaces);
        }
        Ok(Shown(notification.show_async().await?))
    }

    fn escaped(text: &str) -> String {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    }

    #[cfg(test)]
    mod tests {
        #[test]
        fn markup_in_a_name_stays_text() {
            assert_eq!(super::escaped("A & B <i>c</i>"), "A &amp; B &lt;i&gt;c&lt;/i&gt;");
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use super::{DesktopError, Message, Notification};

    /// These platforms report no click to a program that is not installed as a bundle.
    pub struct Shown;

    impl Shown {
        pub fn id(&self) -> u32 {
            0
        }

        pub async fn clicked(self) -> bool {
            false
        }
    }

    pub async fn show(message: &Message) -> Result<Shown, DesktopError> {
        let mut notification = Notification::new();
        notification.summary(&message.title).body(&message.body);
        tauri::async_runtime::spawn_blocking(move || notification.show().map(|_handle| ())).await??;
        Ok(Shown)
    }
}

pub use platform::show;
