use wa_crypto::Provider;

use super::{Device, KnownVersion, OwnDevices, Tombstone};
use crate::error::RestoreError;
use crate::record::Record;

/// Everything the records of an account say.
#[derive(Default)]
pub(crate) struct Stored {
    /// `None` when there is none, or half of one.
    pub(crate) device: Option<Device>,
    pub(crate) tombstone: Option<Tombstone>,
    pub(crate) version: Option<KnownVersion>,
    pub(crate) own_devices: Option<OwnDevices>,
}

impl Stored {
    pub(crate) fn read(provider: Provider, records: &[Record]) -> Result<Self, RestoreError> {
        Ok(Self {
            device: Device::restore(provider, records)?,
            tombstone: Tombstone::restore(provider, records)?,
            version: KnownVersion::restore(records)?,
            own_devices: OwnDevices::restore(records)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::ClientVersion;
    use crate::record::RecordKind;

    fn records_of(file: &str) -> Vec<Record> {
        let file: Value = serde_json::from_str(file).unwrap();
        let hex = |text: &Value| -> Vec<u8> {
            let digits = text.as_str().unwrap().as_bytes().chunks(2);
            digits
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
                .collect()
        };
        let records = file["records"].as_array().unwrap().iter();
        records
            .map(|record| {
                let code = u16::try_from(record["kind"].as_u64().unwrap()).unwrap();
                let kind = RecordKind::from_code(code).unwrap();
                Record::new(kind, hex(&record["key"]), hex(&record["value"]))
            })
            .collect()
    }

    fn golden(name: &str) -> Vec<Record> {
        records_of(match name {
            "tombstone" => include_str!("../../tests/golden/tombstone_v1.json"),
            "version" => include_str!("../../tests/golden/version_v1.json"),
            _ => include_str!("../../tests/golden/own_devices_v1.json"),
        })
    }

    fn read(records: &[Record]) -> Stored {
        Stored::read(Provider::rust(), records).unwrap()
    }

    #[test]
    fn a_tombstone_of_version_1_is_read_and_written_as_it_was() {
        let records = golden("tombstone");
        let tombstone = read(&records).tombstone.unwrap();
        assert_eq!(tombstone.jid.to_string(), "12025550123:48@s.whatsapp.net");
        assert_eq!(
            Device::unfinished_logout(&records),
            Ok(Some(tombstone.jid.clone()))
        );
        let device = read(&records_of(include_str!(
            "../../tests/golden/device_v2.json"
        )));
        let linked = device.device.unwrap();
        assert_eq!(
            tombstone.noise.expose_bytes(),
            linked.noise.expose_bytes(),
            "the key of the link it is left of"
        );
        assert!(
            linked
                .root
                .is_some_and(|root| !tombstone.is_of_another(root))
        );
        assert_eq!([tombstone.record()], records.as_slice());
    }

    #[test]
    fn a_client_version_of_version_1_is_read_and_written_as_it_was() {
        let records = golden("version");
        let known = read(&records).version.unwrap();
        assert_eq!(
            known,
            KnownVersion {
                version: ClientVersion::new(2, 3000, 1_023_456_789),
                source: "https://web.whatsapp.com/sw.js".to_owned(),
                fetched_at: 1_787_184_000,
            }
        );
        assert_eq!(known.keep().puts, records);
    }

    #[test]
    fn own_devices_of_version_1_are_read_and_written_as_they_were() {
        let records = golden("own_devices");
        let devices = read(&records).own_devices.unwrap();
        let linked = read(&records_of(include_str!(
            "../../tests/golden/device_v2.json"
        )));
        let told = devices.linked(linked.device.unwrap().registered().unwrap());
        let numbers: Vec<_> = told
            .iter()
            .map(|device| (device.jid.device(), device.is_primary, device.is_self))
            .collect();
        assert_eq!(numbers, [(0, true, false), (48, false, true)]);
        assert!(devices.is_signed());
        assert_eq!(devices.keep().puts, records);
    }

    /// Writes the golden files. Run by hand when a new version is made.
    #[test]
    #[ignore = "writes tests/golden"]
    fn write_golden() {
        let linked = records_of(include_str!("../../tests/golden/device_v2.json"));
        let stored = read(&linked);
        let version = KnownVersion {
            version: ClientVersion::new(2, 3000, 1_023_456_789),
            source: "https://web.whatsapp.com/sw.js".to_owned(),
            fetched_at: 1_787_184_000,
        };
        for (name, record) in [
            (
                "tombstone",
                stored.device.unwrap().tombstone().unwrap().record(),
            ),
            ("version", version.keep().puts.remove(0)),
            (
                "own_devices",
                stored.own_devices.unwrap().keep().puts.remove(0),
            ),
        ] {
            let hex = |bytes: &[u8]| -> String {
                bytes.iter().map(|byte| format!("{byte:02x}")).collect()
            };
            let file = json!({
                "about": "a record in the stored form of version 1; its keys are from a test and secure nothing",
                "records": [{
                    "kind": record.kind.code(),
                    "key": hex(&record.key),
                    "value": hex(record.value.expose()),
                }],
            });
            let path = format!("{}/tests/golden/{name}_v1.json", env!("CARGO_MANIFEST_DIR"));
            std::fs::write(path, serde_json::to_string_pretty(&file).unwrap() + "\n").unwrap();
        }
    }
}
