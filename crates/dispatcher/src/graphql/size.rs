//! How large a query is once each fragment stands where it is named.

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, FragmentDefinition, Selection, SelectionSet};
use async_graphql::{Name, Positioned, ServerError};

/// Most selections of a query, fragments counted as often as they are named. More than any tool asks for, and few enough
/// to be checked in milliseconds.
const MAX_SELECTIONS: usize = 10_000;
/// Deepest nesting of fields and fragments. The schema's own bound is lower; this one ends fragments that name
/// themselves.
const MAX_NESTING: usize = 64;

/// Refuses a document that would take long to look through. Looks through each fragment once.
pub(super) fn check(document: &ExecutableDocument) -> Result<(), ServerError> {
    let mut count = Count { fragments: &document.fragments, known: HashMap::new() };
    let mut selections: usize = 0;
    for (_, operation) in document.operations.iter() {
        selections = selections.saturating_add(count.set(&operation.node.selection_set.node, 0)?);
    }
    if selections > MAX_SELECTIONS {
        let message = format!("the query has more than {MAX_SELECTIONS} fields, its fragments unfolded");
        return Err(ServerError::new(message, None));
    }
    Ok(())
}

struct Count<'d> {
    fragments: &'d HashMap<Name, Positioned<FragmentDefinition>>,
    known: HashMap<&'d Name, usize>,
}

impl<'d> Count<'d> {
    fn set(&mut self, set: &'d SelectionSet, nesting: usize) -> Result<usize, ServerError> {
        if nesting > MAX_NESTING {
            let message =
                format!("the query is nested deeper than {MAX_NESTING}, or a fragment names itself");
            return Err(ServerError::new(message, None));
        }
        let mut selections: usize = 0;
        for selection in &set.items {
            let inner = match &selection.node {
                Selection::Field(field) => self.set(&field.node.selection_set.node, nesting + 1)?,
                Selection::InlineFragment(inline) => {
                    self.set(&inline.node.selection_set.node, nesting + 1)?
                }
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.node.fragment_name.node, nesting + 1)?
                }
            };
            selections = selections.saturating_add(1).saturating_add(inner);
        }
        Ok(selections)
    }

    fn fragment(&mut self, name: &Name, nesting: usize) -> Result<usize, ServerError> {
        // One that is not defined is refused later, by its name.
        let Some((name, fragment)) = self.fragments.get_key_value(name) else { return Ok(0) };
        if let Some(known) = self.known.get(name) {
            return Ok(*known);
        }
        let selections = self.set(&fragment.node.selection_set.node, nesting)?;
        self.known.insert(name, selections);
        Ok(selections)
    }
}
