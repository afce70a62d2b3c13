//! A help desk answers four requests of one person, from the letter to the proof.
//!
//! `cargo run --features sqlite --example quickstart` creates a help desk's database with invented
//! people, puts `datarights` beside it, and carries one of them through access, export,
//! rectification and erasure. With `-- --clean` the files are removed at the end.
//!
//! What a host writes is in `desk_source.rs` and `mail_source.rs` (where personal data lives),
//! `host.rs` (letters, identity, roles, a processor) and `office.rs` (all of it put together).

mod census;
mod db;
mod desk;
mod desk_source;
mod host;
mod mail_source;
mod office;
mod show;

use datarights::engine::{Completion, EngineError};
use datarights::model::{Actor, Correction, Personal, RequestId, Right, Wish};
use datarights::ports::Check;
use datarights::workflow::{Request, Target, fulfilment, lifecycle};

use census::Census;
use desk::NORA;
use office::{Folder, Office, Outcome};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let clean = std::env::args().any(|argument| argument == "--clean");
    let name = format!("datarights-quickstart-{}", std::process::id());
    let folder = Folder(std::env::temp_dir().join(name));
    std::fs::create_dir_all(&folder.0)?;

    println!("A help desk answers four requests of one person, from the letter to the proof.\n");
    show::line("files", folder.0.display());
    let mut office = Office::open(&folder)?;
    let before = Census::take(&folder)?;
    before.overview();

    let [access, export] = hand_over(&mut office, &folder).await?;
    let correction = correct(&mut office).await?;
    let erasure = erase(&mut office).await?;
    timelines(&office, [access, export, correction, erasure]).await?;
    before.compare(&Census::take(&folder)?);

    println!();
    if clean {
        drop(office);
        std::fs::remove_dir_all(&folder.0)?;
        show::line("cleaned", folder.0.display());
    } else {
        show::line("files", folder.0.display());
        show::line(
            "answer",
            "access.zip holds index.html: unpack it and open it in a browser",
        );
    }
    Ok(())
}

/// The agent who carries the requests. References only: names stay in the host's own tables.
fn agent() -> Outcome<Actor> {
    Ok(Actor::staff("desk-7")?)
}

/// The officer who approves plans.
fn officer() -> Outcome<Actor> {
    Ok(Actor::staff("officer-1")?)
}

/// Access and export: one letter that asks for two things.
async fn hand_over(office: &mut Office, folder: &Folder) -> Outcome<[RequestId; 2]> {
    show::chapter("1 · “What do you hold about me? And let me take it along.”");
    let wishes = vec![Wish::of(Right::Access), Wish::of(Right::Export)];
    let submitted = office.receive(wishes).await?;
    let [access, export] = submitted.as_slice() else {
        return Err("one request for each wish".into());
    };
    let (access, export) = (access.request, export.request);
    let seen = office.request(access).await?;
    show::line(
        "due",
        format!(
            "{}, under {}",
            show::due(seen.clock.response.as_ref()),
            seen.clock.regime.id
        ),
    );

    show::say("Anybody could have written that. The desk asks for a code first.");
    office
        .command(access, &agent()?, lifecycle::Command::RequestIdentity)
        .await?;
    try_code(office, access, "000000").await?;
    let code = office.codes.inbox(access).ok_or("no code was sent")?;
    try_code(office, access, &code).await?;

    show::say("The sources are searched. The help desk knows an address that Nora did not name.");
    let done = office
        .command(access, &agent()?, lifecycle::Command::Approve)
        .await?;
    deliver(office, folder, &done, "access").await?;

    show::say("The same letter, the same person: the export needs no second code.");
    vouch(office, export).await?;
    let done = office
        .command(export, &agent()?, lifecycle::Command::Approve)
        .await?;
    deliver(office, folder, &done, "export").await?;
    Ok([access, export])
}

async fn try_code(office: &Office, request: RequestId, code: &str) -> Outcome<()> {
    let evidence = Personal::new(code.to_owned());
    let check = office
        .engine
        .answer_identity(&office.controller, request, &Actor::Person, &evidence)
        .await?;
    let attempts = office.request(request).await?.lifecycle.attempts;
    show::line(
        "identity",
        match check {
            Check::Verified => format!("attempt {attempts}: the code is right, it is Nora"),
            _ => format!("attempt {attempts}: wrong code, nothing is said about anybody"),
        },
    );
    Ok(())
}

/// The person is logged in, or was identified for another request a moment ago: the host knows.
async fn vouch(office: &mut Office, request: RequestId) -> Outcome<Request> {
    office
        .command(request, &Actor::Host, lifecycle::Command::ConfirmIdentity)
        .await
}

async fn deliver(office: &Office, folder: &Folder, done: &Request, name: &str) -> Outcome<()> {
    let package = folder.path(&format!("{name}.zip"));
    office.download(done.facts.id, &package).await?;
    show::line("package", package.display());
    Ok(())
}

/// Rectification: the old value and the new one are shown, approved and applied; what is disputed
/// is restricted meanwhile.
async fn correct(office: &mut Office) -> Outcome<RequestId> {
    show::chapter("2 · “I married and moved. Please correct my name and my city.”");
    let correction = |field: &str, value: &str| Correction {
        collection: "clients".to_owned(),
        field: field.to_owned(),
        value: Personal::new(value.to_owned()),
    };
    let wish = Wish::rectify(vec![
        correction("full_name", "Nora Lindqvist-Berg"),
        correction("city", "Uppsala"),
    ]);
    let request = office.receive(vec![wish]).await?[0].request;
    vouch(office, request).await?;
    office
        .command(request, &agent()?, lifecycle::Command::Approve)
        .await?;

    let plan = office
        .engine
        .plan(&office.controller, request, &officer()?)
        .await?;
    let wished = office
        .engine
        .corrections(&office.controller, request, &officer()?)
        .await?;
    show::corrections(&plan, &wished);
    show::line("meanwhile", census::restriction(&office.desk).await?);
    approve_plan(office, request).await?;
    complete_tasks(office).await?;
    show::line("now", census::restriction(&office.desk).await?);
    Ok(request)
}

/// Erasure: planned, shown, approved by a second member of staff, carried out, searched again.
async fn erase(office: &mut Office) -> Outcome<RequestId> {
    show::chapter("3 · “Please delete everything.”");
    let request = office.receive(vec![Wish::of(Right::Erasure)]).await?[0].request;
    vouch(office, request).await?;
    show::say("Everything is found and planned before anything is written.");
    office
        .command(request, &agent()?, lifecycle::Command::Approve)
        .await?;
    let plan = office
        .engine
        .plan(&office.controller, request, &officer()?)
        .await?;
    show::plan(&plan);
    approve_plan(office, request).await?;

    show::say("Nobody is told “done” while a processor has not confirmed.");
    complete_tasks(office).await?;
    Ok(request)
}

/// The plan that was shown is approved: by its digest, and not by whoever approved the request.
async fn approve_plan(office: &mut Office, request: RequestId) -> Outcome<()> {
    let plan = office
        .engine
        .plan(&office.controller, request, &officer()?)
        .await?;
    let approve = fulfilment::Command::ApprovePlan {
        digest: plan.digest,
    };
    let alone = office
        .engine
        .command(&office.controller, request, &agent()?, approve.clone())
        .await;
    match alone {
        Err(EngineError::Rejected(why)) => show::line("desk-7", format!("wants to approve: {why}")),
        _ => return Err("one pair of eyes must not be enough".into()),
    }
    show::line("officer-1", "approves the plan");
    office.command(request, &officer()?, approve).await?;
    Ok(())
}

/// Somebody works through the task list, and says what came of it.
async fn complete_tasks(office: &mut Office) -> Outcome<()> {
    let (tasks, _) = office
        .engine
        .tasks(&office.controller, &agent()?, None, 100)
        .await?;
    for task in tasks {
        let (Some((step, target @ Target::Recipient(_))), Some(to_do)) =
            (task.step, task.pending.task)
        else {
            continue;
        };
        show::line("task", &to_do.title);
        office
            .engine
            .complete(
                &office.controller,
                task.request,
                &agent()?,
                step,
                &target,
                Completion::Done,
            )
            .await?;
        show::line("desk-7", "phoned, they confirmed");
    }
    office.work().await
}

async fn timelines(office: &Office, requests: [RequestId; 4]) -> Outcome<()> {
    show::chapter(&format!(
        "4 · What can be shown about {}'s requests",
        NORA.name
    ));
    for id in requests {
        let request = office.request(id).await?;
        let events = office
            .engine
            .timeline(&office.controller, id, &officer()?)
            .await?;
        show::timeline(&request, &events);
    }
    Ok(())
}
