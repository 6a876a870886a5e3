//! QR codes (ISO/IEC 18004): a text as a picture that a phone's camera reads, as SVG, PNG or for a terminal.
//!
//! Promise: black on white with the quiet zone that the standard asks for, whatever is around it. The terminal's picture sets
//! both of its colours, so that it reads the same on a dark and on a light terminal. The error correction is the
//! highest that does not make the picture larger.

use std::fmt::Write;

use png::{BitDepth, ColorType, Encoder};
use qrcodegen::{QrCode, QrCodeEcc};

/// The quiet zone on each side, in modules (ISO/IEC 18004 section 9.1).
const QUIET: i32 = 4;
/// How many pixels of the PNG a module is wide and high.
const SCALE: usize = 8;
/// The control sequence before a line: black on white, by the numbers of the 256 colours that no theme redefines.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
/// The control sequence after a line: back to the terminal's own colours.
const RESET: &str = "\x1b[0m";

/// Why there is no picture. The messages never repeat the text, which may hold a secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum QrError {
    /// There is nothing to show.
    #[error("the text is empty")]
    Empty,
    /// More than the largest QR code holds.
    #[error("the text is too long for a QR code, which holds at most 2953 bytes")]
    TooLong,
    /// The PNG could not be written.
    #[error("the PNG could not be written: {0}")]
    Png(String),
}

/// The picture as an SVG document of one path; it has no size of its own, so that the page decides.
///
/// # Errors
/// [`QrError::Empty`] and [`QrError::TooLong`].
pub fn svg(text: &str) -> Result<String, QrError> {
    let picture = Picture::of(text)?;
    let mut path = String::new();
    for (row, modules) in picture.rows.iter().enumerate() {
        let mut column = 0_usize;
        for run in modules.chunk_by(|left, right| left == right) {
            let width = run.len();
            if run.first() == Some(&true) {
                // Writing to a String does not fail.
                let _ = write!(path, "M{column} {row}h{width}v1h-{width}z");
            }
            column = column.saturating_add(width);
        }
    }
    let side = picture.rows.len();
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path d=\"{path}\"/></svg>\n"
    ))
}

/// The picture as a PNG file of one bit a pixel.
///
/// # Errors
/// [`QrError::Empty`] and [`QrError::TooLong`].
pub fn png(text: &str) -> Result<Vec<u8>, QrError> {
    let picture = Picture::of(text)?;
    let pixels: Vec<u8> = picture.rows.iter().flat_map(|modules| packed(modules).repeat(SCALE)).collect();
    let side = u32::try_from(picture.rows.len().saturating_mul(SCALE)).map_err(|_| QrError::TooLong)?;
    encode(side, &pixels).map_err(|error| QrError::Png(error.to_string()))
}

/// A row of modules as a row of pixels. A module is a whole byte of eight equal bits: white is 1.
fn packed(modules: &[bool]) -> Vec<u8> {
    const { assert!(SCALE == 8, "a module is one byte of pixels") };
    modules.iter().map(|is_dark| if *is_dark { 0 } else { u8::MAX }).collect()
}

fn encode(side: u32, pixels: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, side, side);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::One);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(file)
}

/// The picture as lines for a terminal: one character is two modules, one above the other.
///
/// # Errors
/// [`QrError::Empty`] and [`QrError::TooLong`].
pub fn terminal(text: &str) -> Result<String, QrError> {
    let picture = Picture::of(text)?;
    let mut lines = String::new();
    for pair in picture.rows.chunks(2) {
        lines.push_str(BLACK_ON_WHITE);
        let upper = pair.first().into_iter().flatten();
        let mut lower = pair.get(1).into_iter().flatten();
        for upper in upper {
            lines.push(match (*upper, lower.next().copied().unwrap_or(false)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        lines.push_str(RESET);
        lines.push('\n');
    }
    Ok(lines)
}

/// A QR code with its quiet zone, as rows of modules; true is dark.
struct Picture {
    rows: Vec<Vec<bool>>,
}

impl Picture {
    fn of(text: &str) -> Result<Self, QrError> {
        if text.is_empty() {
            return Err(QrError::Empty);
        }
        let code = QrCode::encode_text(text, QrCodeEcc::Low).map_err(|_| QrError::TooLong)?;
        let side = QUIET.saturating_neg()..code.size().saturating_add(QUIET);
        // Outside of the code every module is light.
        let row = |y| side.clone().map(|x| code.get_module(x, y)).collect();
        Ok(Picture { rows: side.clone().map(row).collect() })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::path::Path;
    use std::process::{Command, Stdio};

    use super::*;

    /// The shortest text, a usual one, one in UTF-8, and one about as long as they get.
    fn texts() -> Vec<String> {
        let uri = "otpauth://totp/Example%20Hosting:root?secret=CAOXW75HKYJJ6E5Y&issuer=Example%20Hosting";
        vec!["1".to_owned(), uri.to_owned(), "Größe 😀".to_owned(), format!("{uri}&x={}", "y".repeat(1500))]
    }

    /// What a real reader sees in a picture file.
    fn read(file: &Path) -> String {
        let mut reader = Command::new("zbarimg");
        reader.args(["--quiet", "--raw", "--nodbus", "-Sdisable", "-Sqrcode.enable", "-Sqrcode.binary=0"]).arg(file);
        let output = reader.output().expect("zbarimg is installed");
        assert!(output.status.success(), "zbarimg: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end_matches('\n').to_owned()
    }

    /// The same of a picture's bytes.
    fn read_bytes(bytes: &[u8]) -> String {
        let mut file = tempfile::Builder::new().suffix(".png").tempfile().unwrap();
        file.write_all(bytes).unwrap();
        read(file.path())
    }

    /// An SVG document as a PNG file.
    fn rasterised(document: &str) -> Vec<u8> {
        let mut renderer = Command::new("rsvg-convert");
        renderer.args(["--width=1200", "--keep-aspect-ratio"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = renderer.spawn().expect("rsvg-convert is installed");
        child.stdin.take().unwrap().write_all(document.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        output.stdout
    }

    /// A terminal that shows lines of half blocks, as a PNG file: every line must set its colours and put them back.
    fn screenshot(lines: &str) -> Vec<u8> {
        let mut rows = Vec::new();
        for line in lines.lines() {
            let blocks = line.strip_prefix(BLACK_ON_WHITE).and_then(|line| line.strip_suffix(RESET)).unwrap();
            rows.push(blocks.chars().map(|block| matches!(block, '█' | '▀')).collect::<Vec<_>>());
            rows.push(blocks.chars().map(|block| matches!(block, '█' | '▄')).collect::<Vec<_>>());
        }
        rows.truncate(rows[0].len());
        let pixels: Vec<u8> = rows.iter().flat_map(|modules| packed(modules).repeat(SCALE)).collect();
        encode(u32::try_from(rows.len().saturating_mul(SCALE)).unwrap(), &pixels).unwrap()
    }

    #[test]
    fn a_reader_reads_the_png() {
        for text in texts() {
            assert_eq!(read_bytes(&png(&text).unwrap()), text);
        }
    }

    #[test]
    fn a_reader_reads_the_svg() {
        for text in texts() {
            assert_eq!(read_bytes(&rasterised(&svg(&text).unwrap())), text);
        }
    }

    #[test]
    fn a_reader_reads_the_terminal() {
        for text in texts() {
            let lines = terminal(&text).unwrap();
            assert!(lines.lines().all(|line| line.chars().count() == lines.lines().next().unwrap().chars().count()));
            assert_eq!(read_bytes(&screenshot(&lines)), text);
        }
    }

    #[test]
    fn every_picture_has_its_quiet_zone() {
        let picture = Picture::of("quiet").unwrap();
        let is_light = |row: &Vec<bool>| row.iter().all(|is_dark| !is_dark);
        let side = picture.rows.len();
        assert!(picture.rows[..4].iter().chain(&picture.rows[side - 4..]).all(is_light));
        assert!(picture.rows.iter().all(|row| row[..4].iter().chain(&row[side - 4..]).all(|is_dark| !is_dark)));
        assert!(picture.rows[4][4], "the finder pattern begins right after it");
    }

    #[test]
    fn refuses_what_has_no_picture() {
        assert_eq!(svg(""), Err(QrError::Empty));
        assert_eq!(png(&"é".repeat(1477)), Err(QrError::TooLong));
        assert_eq!(terminal(&"é".repeat(1477)), Err(QrError::TooLong));
        assert!(terminal(&"é".repeat(1476)).is_ok());
    }
}
