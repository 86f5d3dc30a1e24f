//! A cursor over an XML document: elements one after another, what is not asked for is passed over. A document that
//! breaks off is an error wherever the cursor meets its end.

use aws_smithy_runtime_api::box_error::BoxError;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

/// A document that is read from its beginning to its end, once.
pub(crate) struct Document<'x> {
    reader: Reader<&'x [u8]>,
    /// How many elements are open.
    depth: usize,
    /// Name of the element that was opened last, without its namespace; kept to be filled anew.
    name: String,
}

/// An element that was opened, and lies before the cursor or around it.
pub(crate) struct Element<'d, 'x> {
    document: &'d mut Document<'x>,
    /// The depth inside of it.
    depth: usize,
}

impl<'x> Document<'x> {
    pub(crate) fn new(text: &'x str) -> Document<'x> {
        let mut reader = Reader::from_str(text);
        // `<tagSet/>` is a list like any other.
        reader.config_mut().expand_empty_elements = true;
        Document {
            reader,
            depth: 0,
            name: String::new(),
        }
    }

    /// Returns the outermost element.
    ///
    /// # Errors
    /// There is none, or this is not XML.
    pub(crate) fn root(&mut self) -> Result<Element<'_, 'x>, BoxError> {
        let around = Element {
            depth: 0,
            document: self,
        };
        around.open()?.ok_or_else(|| "no element".into())
    }

    /// Moves on; returns the event, having counted it.
    fn next(&mut self) -> Result<Event<'x>, BoxError> {
        let event = self.reader.read_event()?;
        match &event {
            Event::Start(start) => {
                self.depth += 1;
                self.name.clear();
                self.name.push_str(start.local_name().into_inner());
            }
            Event::End(_) => self.depth -= 1,
            Event::Eof => return Err("the document breaks off".into()),
            _ => {}
        }
        Ok(event)
    }
}

impl<'d, 'x> Element<'d, 'x> {
    /// Returns the name, as long as nothing inside was read.
    pub(crate) fn local(&self) -> &str {
        &self.document.name
    }

    /// Returns the next element inside, whatever was left of the one before; `None` at the end.
    pub(crate) fn next_tag(&mut self) -> Result<Option<Element<'_, 'x>>, BoxError> {
        let inside = Element {
            document: &mut *self.document,
            depth: self.depth,
        };
        inside.open()
    }

    fn open(self) -> Result<Option<Element<'d, 'x>>, BoxError> {
        while self.document.depth >= self.depth {
            let is_start = matches!(self.document.next()?, Event::Start(_));
            if is_start && self.document.depth == self.depth + 1 {
                return Ok(Some(Element {
                    depth: self.depth + 1,
                    document: self.document,
                }));
            }
        }
        Ok(None)
    }

    /// Returns the text inside, up to the end of the element.
    pub(crate) fn text(&mut self) -> Result<String, BoxError> {
        let mut text = String::new();
        while self.document.depth >= self.depth {
            match self.document.next()? {
                Event::Text(part) => text.push_str(&part),
                Event::CData(part) => text.push_str(&part),
                Event::GeneralRef(reference) => match reference.resolve_char_ref()? {
                    Some(character) => text.push(character),
                    None => text.push_str(
                        resolve_predefined_entity(&reference)
                            .ok_or_else(|| format!("unknown entity {}", &*reference))?,
                    ),
                },
                _ => {}
            }
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::Document;

    #[test]
    fn what_is_not_asked_for_is_passed_over() {
        let mut document = Document::new(
            "<?xml version=\"1.0\"?><r xmlns=\"n\"><a><b>1<c/>2</b><b>x</b></a><d>3</d><e/></r>",
        );
        let mut root = document.root().unwrap();
        assert_eq!(root.local(), "r");
        let mut first = root.next_tag().unwrap().unwrap();
        assert_eq!(first.local(), "a");
        assert_eq!(first.next_tag().unwrap().unwrap().text().unwrap(), "12");
        let mut second = root.next_tag().unwrap().unwrap();
        assert_eq!(second.local(), "d");
        assert_eq!(second.text().unwrap(), "3");
        assert_eq!(root.next_tag().unwrap().unwrap().text().unwrap(), "");
        assert!(root.next_tag().unwrap().is_none());
        assert!(root.next_tag().unwrap().is_none());
    }

    #[test]
    fn characters_come_unescaped() {
        let mut document = Document::new("<r>R&amp;D &lt;&#x1F600;&gt; <![CDATA[a<b]]></r>");
        assert_eq!(
            document.root().unwrap().text().unwrap(),
            "R&D <\u{1F600}> a<b"
        );
        assert!(
            Document::new("<r>&nbsp;</r>")
                .root()
                .unwrap()
                .text()
                .is_err()
        );
    }

    #[test]
    fn an_end_before_the_end_is_an_error() {
        for broken in ["", "x", "<r>", "<r><a>", "<r><a></r>", "<r><a>1</a>"] {
            let mut document = Document::new(broken);
            let mut read = || -> Result<(), super::BoxError> {
                let mut root = document.root()?;
                while root.next_tag()?.is_some() {}
                Ok(())
            };
            assert!(read().is_err(), "{broken}");
        }
    }
}
