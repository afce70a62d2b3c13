//! Our words for letters: a key, English, French. A row has both, so that none is missing in one
//! language.
//!
//! In braces stands what the engine fills in: the same places in both.

/// Sorted by where in a letter they stand, not by key: a key is looked up by walking the list.
#[rustfmt::skip] // one line for one key
pub(super) const WORDS: &[(&str, &str, &str)] = &[
    // Receipt.
    ("receipt", "We received your request on {received}. Its number is {request}.", "Nous avons reçu votre demande le {received}. Elle porte le numéro {request}."),
    ("process", "We check that the request comes from you, decide on it, carry it out in all our systems and tell you the outcome.", "Nous vérifions que la demande vient de vous, nous prenons une décision, nous l’exécutons dans tous nos systèmes et nous vous en communiquons le résultat."),
    ("verification", "We compare what you give us with what we already hold about you; where that is not enough, we ask you for more.", "Nous comparons ce que vous nous donnez avec ce que nous détenons déjà à votre sujet. Si cela ne suffit pas, nous vous demandons d’autres éléments."),
    ("when", "You can expect our answer by {due}.", "Vous recevrez notre réponse au plus tard le {due}."),
    ("when.undated", "You can expect our answer without undue delay.", "Vous recevrez notre réponse dans les meilleurs délais."),

    // Questions to the person.
    ("needed", "Please answer the identity check that goes with this letter.", "Veuillez répondre à la vérification d’identité jointe à cette lettre."),
    ("doubt", "Your request does not yet show that it comes from you, and nobody else may have your data.", "Votre demande ne permet pas encore d’établir qu’elle vient de vous, et personne d’autre ne doit recevoir vos données."),
    ("charge", "We charge a fee. {ground}", "Nous demandons le paiement de frais. {ground}"),
    ("amount", "The fee is {amount}.", "Les frais s’élèvent à {amount}."),
    ("withdraw", "You can withdraw your request; then you pay nothing.", "Vous pouvez retirer votre demande. Vous ne payez alors rien."),
    ("confirm", "If you do not accept the fee within ten days, your request counts as withdrawn.", "Si vous n’acceptez pas ces frais dans les dix jours, votre demande est réputée retirée."),

    // Taking longer.
    ("extension", "Our answer takes longer: you will have it by {due}.", "Notre réponse demande plus de temps. Vous la recevrez au plus tard le {due}."),
    ("new_date", "Our answer takes longer: you will have it by {due}.", "Notre réponse demande plus de temps. Vous la recevrez au plus tard le {due}."),
    ("completion", "Our answer takes longer: you will have it by {due}.", "Notre réponse demande plus de temps. Vous la recevrez au plus tard le {due}."),
    ("extension.undated", "Our answer takes longer; the time does not run while we wait for you.", "Notre réponse demande plus de temps. Le délai ne court pas tant que nous attendons votre réponse."),
    ("new_date.undated", "Our answer takes longer; the time does not run while we wait for you.", "Notre réponse demande plus de temps. Le délai ne court pas tant que nous attendons votre réponse."),
    ("completion.undated", "Our answer takes longer; the time does not run while we wait for you.", "Notre réponse demande plus de temps. Le délai ne court pas tant que nous attendons votre réponse."),
    ("reasons", "{ground}", "{ground}"),
    ("ground", "{ground}", "{ground}"),

    // Refusing, in whole or in part.
    ("refusal", "We do not carry out your request.", "Nous ne donnons pas suite à votre demande."),
    ("response.refusal.reasons", "{left_out}", "{left_out}"),
    ("appeal_denied.reasons", "We looked at our decision again, and it stands. {because}", "Nous avons réexaminé notre décision et nous la maintenons. {because}"),
    ("cannot_identify", "We cannot tell which data are yours.", "Nous ne pouvons pas déterminer quelles données sont les vôtres."),
    ("cannot_verify", "We could not verify your identity.", "Nous n’avons pas pu vérifier votre identité."),
    ("cannot_identify.categories", "We treat your request as one for the categories of information.", "Nous traitons votre demande comme portant sur les catégories d’informations."),
    ("complaint", "You can lodge a complaint with {authority}.", "Vous pouvez saisir d’une réclamation {authority}."),
    ("complain", "You can complain to {reachable_authority}.", "Vous pouvez saisir d’une réclamation {reachable_authority}."),
    ("complaint_controller", "You can complain to us about how your request was handled.", "Vous pouvez nous adresser une réclamation sur la manière dont votre demande a été traitée."),
    ("judicial_remedy", "You can also go to court.", "Vous pouvez aussi former un recours juridictionnel."),
    ("remedy", "You can turn to: {external}.", "Vous disposez des voies de recours suivantes\u{a0}: {external}."),
    ("remedies", "You can turn to: {external}.", "Vous disposez des voies de recours suivantes\u{a0}: {external}."),
    ("recourse", "You can turn to: {external}.", "Vous disposez des voies de recours suivantes\u{a0}: {external}."),
    ("appeal.no_appeal", "There is no appeal to us; you can complain to {authority}.", "Notre décision ne peut pas être contestée auprès de nous. Vous pouvez saisir d’une réclamation {authority}."),
    ("help", "If anything in this letter is not clear to you, we help you to understand it.", "Si un point de cette lettre n’est pas clair, nous vous aidons à le comprendre."),

    ("mandatory", "The law leaves us no choice in this.", "La loi ne nous laisse pas le choix."),
    ("reviewable", "You can have this decision reviewed by somebody who did not take part in it.", "Vous pouvez faire réexaminer cette décision par une personne qui n’y a pas pris part."),

    // Recipients.
    ("recipient_notice.change.rectified", "Data about this person were corrected; correct them too.", "Des données relatives à cette personne ont été rectifiées. Veuillez les rectifier aussi."),
    ("recipient_notice.change.erased", "Data about this person were erased; erase them too, with every copy and every link to them.", "Des données relatives à cette personne ont été effacées. Veuillez les effacer aussi, avec toute copie et tout lien vers elles."),
    ("recipient_notice.change.restricted", "The processing of data about this person is restricted; restrict it too.", "Le traitement de données relatives à cette personne est limité. Veuillez le limiter aussi."),
    ("recipient_notice.change.lifted", "The processing of data about this person is not restricted any more.", "Le traitement de données relatives à cette personne n’est plus limité."),
    ("recipient_notice.change.ended", "Uses of data about this person have ended; end them too.", "Des utilisations de données relatives à cette personne ont pris fin. Veuillez y mettre fin aussi."),

    // The answer.
    ("action_taken.upheld", "A person looked at the decision again, and it stands.", "Une personne a réexaminé la décision, qui est maintenue."),
    ("action_taken.changed", "A person looked at the decision again, and it was changed.", "Une personne a réexaminé la décision, qui a été modifiée."),
    ("action_taken.done", "Your request was carried out in full.{horizon}{searched}", "Votre demande a été entièrement exécutée.{horizon}{searched}"),
    ("action_taken.partly", "Your request was carried out in part; what was left out is named.{horizon}{searched}", "Votre demande a été exécutée en partie. Ce qui ne l’a pas été est indiqué.{horizon}{searched}"),
    ("action_taken.nothing_found", "We searched for data about you and found none.{horizon}", "Nous avons recherché des données à votre sujet et n’en avons trouvé aucune.{horizon}"),
    ("horizon", " We hold nothing from before {day}.", " Nous ne détenons rien d’antérieur au {day}."),
    ("searched.by_path", " After the erasure we searched again by all that leads to your data.", " Après l’effacement, nous avons de nouveau recherché vos données par tout ce qui y mène."),
    ("searched.by_value", " After the erasure we searched again by all that leads to your data, and for what identifies you wherever text is stored.", " Après l’effacement, nous avons de nouveau recherché vos données par tout ce qui y mène, ainsi que ce qui vous identifie partout où du texte est enregistré."),
    ("action_taken.unsupported", "None of our systems can do what you asked for.", "Aucun de nos systèmes ne permet de faire ce que vous avez demandé."),
    ("action_taken.failed", "Your request could not be carried out.", "Votre demande n’a pas pu être exécutée."),
    ("action_taken.cancelled", "Your request was stopped before anything was changed.", "Votre demande a été arrêtée avant toute modification."),
    ("confirmation", "We process data about you.", "Nous traitons des données à votre sujet."),
    ("confirmation.nothing_found", "We searched for data about you and found none.", "Nous avons recherché des données à votre sujet et n’en avons trouvé aucune."),
    ("data.nothing_found", "We searched for data about you and found none.", "Nous avons recherché des données à votre sujet et n’en avons trouvé aucune."),
    ("rights", "You can ask us to correct or erase the data or to restrict their processing, and you can object to it.", "Vous pouvez nous demander de rectifier ou d’effacer les données ou d’en limiter le traitement, et vous pouvez vous y opposer."),
    ("confirmation.not_established", "We could not establish whether we process data about you.", "Nous n’avons pas pu établir si nous traitons des données à votre sujet."),
    ("copy.no_copy", "No copy of the data goes with this answer.", "Aucune copie des données n’est jointe à cette réponse."),
    ("data.no_copy", "No copy of the data goes with this answer.", "Aucune copie des données n’est jointe à cette réponse."),
    ("copy", "A copy of the data goes with this answer.", "Une copie des données est jointe à cette réponse."),
    ("data", "A copy of the data goes with this answer.", "Une copie des données est jointe à cette réponse."),
    ("origin.from_person", "The data come from you.", "Les données proviennent de vous."),
    ("absence.nothing_found", "We hold no data about you.", "Nous ne détenons aucune donnée à votre sujet."),
    ("record_kept", "We keep a record of your request, as the law demands.", "Nous conservons une trace de votre demande, comme la loi l’exige."),
    ("recipients_named.recipients", "They were told: {recipients}.", "Ont été informés\u{a0}: {recipients}."),
    ("status", "Your opt-out was carried out.", "Votre refus a été pris en compte."),
    ("intervention", "You can have a human look at the decision.", "Vous pouvez obtenir qu’une personne examine la décision."),
    ("point_of_view", "You can tell us your point of view.", "Vous pouvez exprimer votre point de vue."),
    ("contest", "You can contest the decision.", "Vous pouvez contester la décision."),
    ("lifted", "The restriction of your data is about to be lifted.", "La limitation du traitement de vos données va être levée."),

    // What was left out.
    ("withheld", "{where} ({rows}): kept. {ground}", "{where} ({rows})\u{a0}: conservé. {ground}"),
    ("withheld.date", "{where} ({rows}): kept until {until}. {ground}", "{where} ({rows})\u{a0}: conservé jusqu’au {until}. {ground}"),
    ("withheld.hold", "{where} ({rows}): kept until a legal hold is lifted. {ground}", "{where} ({rows})\u{a0}: conservé jusqu’à la levée d’une mesure de conservation. {ground}"),
    ("withheld.restricted", "It is restricted: we keep it and use it for nothing else.", "Son traitement est limité\u{a0}: nous le conservons et n’en faisons aucun autre usage."),
    ("missing", "{where}: {failure}.", "{where}\u{a0}: {failure}."),
    ("failure.unsupported", "the system cannot do this", "le système ne permet pas de le faire"),
    ("failure.unavailable", "the system did not answer in time", "le système n’a pas répondu à temps"),
    ("failure.refused", "the system refused", "le système a refusé"),
    ("failure.nonsense", "the system answered what cannot be", "le système a donné une réponse impossible"),
    ("failure.broke", "the system stopped in the middle of its work", "le système s’est arrêté au milieu de son travail"),
    ("failure.no_identifier", "nothing we know of you can be searched for there", "ce que nous savons de vous ne permet pas d’y chercher"),
    ("failure.no_such_field", "we hold no such data about you that could be corrected", "nous ne détenons à votre sujet aucune donnée de ce genre à rectifier"),
    ("failure.blocked", "something that must come first failed", "une étape préalable a échoué"),
    ("failure.residue", "data was still there after the erasure", "des données subsistaient après l’effacement"),
    ("failure", "it could not be done", "cela n’a pas pu être fait"),

    // Sections of the package's page.
    ("title.purposes", "What we use the data for", "À quoi servent les données"),
    ("title.purpose", "What we use the data for", "À quoi servent les données"),
    ("title.categories", "Which kinds of data", "Quelles catégories de données"),
    ("title.recipients", "Who receives them", "Qui les reçoit"),
    ("title.period", "How long we keep them", "Combien de temps nous les conservons"),
    ("title.rights", "Your rights", "Vos droits"),
    ("title.complaint", "Where you can complain", "À qui adresser une réclamation"),
    ("title.source", "Where the data come from", "D’où viennent les données"),
    ("title.origin", "Where the data come from", "D’où viennent les données"),
    ("title.automated_decisions", "Automated decisions", "Décisions automatisées"),
    ("title.transfer_safeguards", "Transfers to other countries", "Transferts vers d’autres pays"),
    ("title.criteria", "How the data are used", "Comment les données sont utilisées"),
    ("title.controller", "Who we are", "Qui nous sommes"),

    ("date", "{day} {month} {year}", "{day} {month} {year}"),
    ("months", "January,February,March,April,May,June,July,August,September,October,November,December", "janvier,février,mars,avril,mai,juin,juillet,août,septembre,octobre,novembre,décembre"),
];
