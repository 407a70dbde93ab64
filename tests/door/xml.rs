//! AWS's XML, read as simply as it is written: elements and text, into the leaves that there are and where they stand.

/// The leaves of a document with their paths, items of lists numbered: `ListUsersResult.Users.member.2.Arn`.
pub(crate) fn leaves(document: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open: Vec<Element> = Vec::new();
    let mut rest = document;
    while let Some((text, after)) = rest.split_once('<') {
        let (tag, after) = after.split_once('>').expect("an element that does not end");
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            let element = open.pop().expect("an element that was not opened");
            assert_eq!(element.name, name, "{document}");
            if element.items == 0 && !element.has_children {
                found.push((path(&open, &element), unescaped(text)));
            }
            continue;
        }
        assert!(text.trim().is_empty(), "text beside elements: {text}");
        let name = tag.split(' ').next().unwrap().to_owned();
        let mut number = None;
        if let Some(parent) = open.last_mut() {
            parent.has_children = true;
            if name == "member" || name == "entry" {
                parent.items += 1;
                number = Some(parent.items);
            }
        }
        open.push(Element { name, number, items: 0, has_children: false });
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "cut short: {document}");
    found
}

struct Element {
    name: String,
    number: Option<usize>,
    items: usize,
    has_children: bool,
}

/// Without the outermost element.
fn path(open: &[Element], last: &Element) -> String {
    let elements = open.iter().chain([last]).skip(1);
    let names: Vec<String> = elements
        .map(|element| match element.number {
            Some(number) => format!("{}.{number}", element.name),
            None => element.name.clone(),
        })
        .collect();
    names.join(".")
}

fn unescaped(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#xD;", "\r");
    text.replace("&amp;", "&")
}

/// What stands in XML for a character: another where XML does not have it.
pub(crate) fn allowed(c: char) -> char {
    match c {
        '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'.. => c,
        _ => char::REPLACEMENT_CHARACTER,
    }
}
