//! Files that the window makes itself, written as a whole where the person chose.
//!
//! Only these three kinds, under their own endings: the window cannot write anything else, nor over a file of another kind.

use std::{io::Write, path::Path};

use crate::{
    dto::{error::ApiError, file::FileContent},
    whole_file::write_whole,
};

/// Largest file that is written; a table of 200,000 rows has some 20 MB.
const BYTES_MAX: usize = 100_000_000;

const PNG_SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// Writes a table or picture. Gives the path as people know it.
pub fn file_save(path: &Path, content: &FileContent) -> Result<String, ApiError> {
    let (ending, bytes): (&str, &[u8]) = match content {
        FileContent::Csv(text) => ("csv", text.as_bytes()),
        FileContent::Svg(text) => ("svg", text.as_bytes()),
        FileContent::Png(bytes) => ("png", bytes),
    };
    let refuse =
        |message: String, action: &str| Err(ApiError::invalid(message).safe("Nothing was written.").action(action));
    let shown = path.display();
    if !path.is_absolute() {
        return refuse(
            format!("\"{shown}\" is no whole path."),
            "Give it from the root, such as /home/me/results.csv.",
        );
    }
    if !path.extension().is_some_and(|given| given.eq_ignore_ascii_case(ending)) {
        return refuse(format!("\"{shown}\" does not end in .{ending}."), "Give the file that ending.");
    }
    if bytes.len() > BYTES_MAX {
        return refuse(format!("The file would have {} bytes.", bytes.len()), "Filter the table first.");
    }
    if matches!(content, FileContent::Png(bytes) if !bytes.starts_with(&PNG_SIGNATURE)) {
        return refuse("The picture could not be drawn as PNG.".to_owned(), "Export it as SVG.");
    }
    write_whole(path, |out| Ok(out.write_all(bytes)?))?;
    Ok(shown.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_written_as_a_whole_and_only_under_its_own_ending() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("Results, é.csv");
        let content = FileContent::Csv("name,verdict\r\n\"a, b\",Low\r\n".to_owned());
        assert_eq!(file_save(&path, &content).expect("written"), path.display().to_string());
        assert_eq!(std::fs::read_to_string(&path).expect("a file"), "name,verdict\r\n\"a, b\",Low\r\n");
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "no part is left behind");

        for wrong in ["notes.txt", "results", ".bashrc", "picture.png"] {
            let wrong = folder.path().join(wrong);
            let error = file_save(&wrong, &content).expect_err("another ending");
            assert!(error.message.contains("does not end in .csv"), "{error}");
            assert!(!wrong.exists());
        }
        assert!(file_save(Path::new("results.csv"), &content).expect_err("no place").message.contains("whole path"));
        let error = file_save(&folder.path().join("no/such/folder/x.csv"), &content).expect_err("no folder");
        assert_eq!(error.code, crate::dto::error::ErrorCode::FileUnwritable);
    }

    #[test]
    fn a_picture_is_what_its_ending_says() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("chart.png");
        assert!(file_save(&path, &FileContent::Png(b"<svg/>".to_vec())).is_err());
        assert!(!path.exists());
        let picture = [&PNG_SIGNATURE[..], b"the rest"].concat();
        file_save(&path, &FileContent::Png(picture.clone())).expect("written");
        assert_eq!(std::fs::read(&path).expect("a file"), picture);
    }
}
