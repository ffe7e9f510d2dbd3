//! A provider's output lines for requests: the captured shape of a chat completion in a batch, with invented answers.

use std::io::{self, Write};

use quorum_core::{plan::Request, prompt::custom_id, schema::Schema};

use crate::draws::Draws;

/// Lines that go into the error file instead: rare, and of more than one kind.
const FAILED_ONCE_IN: u64 = 2_000;

/// How far a line may be from its place in the input: the provider promises no order, and keeps it roughly.
const SHUFFLED_WITHIN: usize = 512;

/// Writes the output and the error file of a batch.
pub fn write(
    output: &mut impl Write,
    errors: &mut impl Write,
    schema: &Schema,
    model: &str,
    requests: &[Request],
    seed: u64,
) -> io::Result<Written> {
    let mut order: Vec<Request> = requests.to_vec();
    let mut draws = Draws::new(seed, requests.first().map_or(0, |first| u64::from(first.review.0)));
    for block in order.chunks_mut(SHUFFLED_WITHIN) {
        for at in (1..block.len()).rev() {
            block.swap(at, draws.index(at + 1));
        }
    }
    let mut written = Written::default();
    let mut answer = String::new();
    for request in order {
        if draws.once_in(FAILED_ONCE_IN) {
            failed(errors, request, &mut draws)?;
            written.failed += 1;
        } else {
            answer.clear();
            let relevant = fill(&mut answer, schema, request, seed, &mut draws);
            answered(output, &answer, model, request, &mut draws)?;
            written.answered += 1;
            written.relevant += u64::from(relevant);
        }
    }
    Ok(written)
}

/// What two files hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    pub answered: u64,
    pub failed: u64,
    pub relevant: u64,
}

/// An answer. A review has a leaning of its own, so that its votes mostly agree.
fn fill(out: &mut String, schema: &Schema, request: Request, seed: u64, draws: &mut Draws) -> bool {
    let mut leaning = Draws::new(seed ^ 0x5eed, u64::from(request.review.0));
    let follows = |draws: &mut Draws| draws.below(10) < 8;
    let leans = leaning.below(3) == 0;
    let relevant = if follows(draws) { leans } else { draws.once_in(2) };
    out.push_str("{\"is_relevant\":");
    out.push_str(if relevant { "true" } else { "false" });
    for field in schema.fields() {
        let values = &field.term.values;
        let usual = leaning.index(values.len());
        let value = if follows(draws) { usual } else { draws.index(values.len()) };
        out.push_str(",\"");
        out.push_str(&field.name);
        out.push_str("\":\"");
        out.push_str(&values[value].id);
        out.push('"');
    }
    out.push('}');
    relevant
}

fn answered(out: &mut impl Write, answer: &str, model: &str, request: Request, draws: &mut Draws) -> io::Result<()> {
    let (prompt, output) = (1_000 + draws.below(400), 60 + draws.below(600));
    let reasoning = output / 64 * 64;
    let cached = if draws.once_in(2) { 896 } else { 0 };
    write!(
        out,
        "{{\"id\": \"batch_req_{:032x}\", \"custom_id\": \"{}\", \"response\": {{\"status_code\": 200, \
         \"request_id\": \"{:032x}\", \"body\": {{\"id\": \"chatcmpl-{:022x}\", \"object\": \"chat.completion\", \
         \"created\": {}, \"model\": \"{model}-2025-08-07\", \"choices\": [{{\"index\": 0, \"message\": \
         {{\"role\": \"assistant\", \"content\": ",
        draws.next(),
        custom_id(request.review, request.run),
        draws.next(),
        draws.next(),
        1_763_000_000 + draws.below(80_000),
    )?;
    serde_json::to_writer(&mut *out, answer)?;
    writeln!(
        out,
        ", \"refusal\": null, \"annotations\": []}}, \"finish_reason\": \"stop\"}}], \"usage\": {{\"prompt_tokens\": \
         {prompt}, \"completion_tokens\": {output}, \"total_tokens\": {}, \"prompt_tokens_details\": \
         {{\"cached_tokens\": {cached}, \"audio_tokens\": 0}}, \"completion_tokens_details\": {{\"reasoning_tokens\": \
         {reasoning}, \"audio_tokens\": 0, \"accepted_prediction_tokens\": 0, \"rejected_prediction_tokens\": 0}}}}, \
         \"service_tier\": \"default\", \"system_fingerprint\": null}}}}, \"error\": null}}",
        prompt + output,
    )
}

fn failed(out: &mut impl Write, request: Request, draws: &mut Draws) -> io::Result<()> {
    let id = custom_id(request.review, request.run);
    let line = draws.next();
    if draws.once_in(2) {
        writeln!(
            out,
            "{{\"id\": \"batch_req_{line:032x}\", \"custom_id\": \"{id}\", \"response\": null, \"error\": {{\"code\": \
             \"batch_expired\", \"message\": \"This request could not be executed before the completion window \
             expired.\"}}}}"
        )
    } else {
        writeln!(
            out,
            "{{\"id\": \"batch_req_{line:032x}\", \"custom_id\": \"{id}\", \"response\": {{\"status_code\": 500, \
             \"request_id\": \"{line:032x}\", \"body\": {{\"error\": {{\"message\": \"The server had an error while \
             processing your request.\", \"type\": \"server_error\", \"param\": null, \"code\": null}}}}}}, \"error\": \
             null}}"
        )
    }
}
