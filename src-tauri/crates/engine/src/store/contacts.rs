//! People.

use super::{Database, MAX_CONTACTS};
use rusqlite::{Connection, Row, params};
use sidetone_api::{Contact, ContactAddress, ContactId, Failure, FailureCode};

/// A contact and the UID of the vCard that it came from.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) contact: Contact,
    pub(super) uid: Option<String>,
}

const COLUMNS: &str = "id, uid, name, organisation, addresses, note, favourite, watch";

impl Database {
    pub(super) fn read_contacts(&self) -> rusqlite::Result<Vec<Kept>> {
        let sql = format!("SELECT {COLUMNS} FROM contact ORDER BY name, id");
        let mut statement = self.connection.prepare(&sql)?;
        statement.query_map([], kept)?.collect()
    }

    /// Creates the contact where `new`, and replaces it otherwise.
    ///
    /// # Errors
    /// `limit`, `notFound`, or `storage`.
    pub(crate) fn save_contact(&mut self, contact: &Contact, new: bool) -> Result<(), Failure> {
        let count = "SELECT count(*), count(*) FILTER (WHERE id = ?1) FROM contact";
        let counted = self.connection.query_one(count, [contact.id.as_str()], |row| {
            Ok((row.get::<_, u32>(0)?, row.get::<_, u32>(1)? > 0))
        });
        let (all, exists) = counted.map_err(|error| self.failure(&error))?;
        if new && all as usize >= MAX_CONTACTS {
            return Err(Failure::new(FailureCode::Limit, format!("{MAX_CONTACTS} contacts are the most")));
        }
        if !new && !exists {
            return Err(Failure::not_found("contact", contact.id.as_str()));
        }
        write(&self.connection, contact, None).map_err(|error| self.failure(&error))
    }

    /// `false` where there is no such contact.
    pub(crate) fn remove_contact(&mut self, id: &ContactId) -> Result<bool, Failure> {
        let removed = self.connection.execute("DELETE FROM contact WHERE id = ?1", [id.as_str()]);
        removed.map(|rows| rows > 0).map_err(|error| self.failure(&error))
    }

    /// With the UIDs of the cards they came from.
    pub(crate) fn contacts(&self) -> Result<Vec<(Contact, Option<String>)>, Failure> {
        let all = self.read_contacts().map_err(|error| self.failure(&error))?;
        Ok(all.into_iter().map(|kept| (kept.contact, kept.uid)).collect())
    }
}

/// Creates or replaces; without a `uid` the one that is there stays.
pub(super) fn write(connection: &Connection, contact: &Contact, uid: Option<&str>) -> rusqlite::Result<()> {
    let addresses: Vec<_> =
        contact.addresses.iter().map(|one| (one.address.as_str(), one.label.as_str())).collect();
    let addresses = serde_json::to_string(&addresses).unwrap_or_default();
    let sql = format!(
        "INSERT INTO contact ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
         ON CONFLICT (id) DO UPDATE SET uid = coalesce(excluded.uid, uid), name = excluded.name, \
         organisation = excluded.organisation, addresses = excluded.addresses, note = excluded.note, \
         favourite = excluded.favourite, watch = excluded.watch"
    );
    connection.prepare_cached(&sql)?.execute(params![
        contact.id.as_str(),
        uid,
        contact.name,
        contact.organisation,
        addresses,
        contact.note,
        contact.favourite,
        contact.watch,
    ])?;
    Ok(())
}

fn kept(row: &Row<'_>) -> rusqlite::Result<Kept> {
    let addresses: Vec<(String, String)> =
        serde_json::from_str(&row.get::<_, String>(4)?).unwrap_or_default();
    let addresses = addresses.into_iter().map(|(address, label)| ContactAddress { address, label });
    Ok(Kept {
        contact: Contact {
            id: ContactId::new(row.get::<_, String>(0)?),
            name: row.get(2)?,
            organisation: row.get(3)?,
            addresses: addresses.collect(),
            note: row.get(5)?,
            favourite: row.get(6)?,
            watch: row.get(7)?,
        },
        uid: row.get(1)?,
    })
}
