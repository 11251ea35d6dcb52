//! What is told to devices, and when: a fact waits until the flush that holds it is durable.

use std::sync::Arc;

use persistence::{HeroId, Notice, Ticket};
use protocol::{
    close, codec,
    server::{ServerMessage, Status, Welcome, WelcomeState},
};
use tokio::sync::oneshot;

use super::{Attach, Entering, Hold, Loading, Output, Resident, Shard, acting::refuse_acts};
use crate::{
    acting::ActFailed, convert, metrics::CommandOutcome, outbox::Outbox, shard::hero::Device, telemetry::Way,
};

/// Reconnects after a drain are spread over this long: with the way back, everybody plays again within 5 s.
const RECONNECT_SPREAD_MS: u32 = 3_000;

impl Shard {
    pub(super) fn welcome(&mut self, id: HeroId, attach: Attach) {
        let Attach { stream_id, last_seq, outbox, .. } = attach;
        // A hero is shown as it is now, not as it was when it was last looked at.
        self.advance(id);
        let now_ms = self.parts.clock.now_ms();
        let Some(resident) = self.heroes.get_mut(&id) else {
            // The rules broke on it just now. Whoever had a reason before has closed the socket with that.
            outbox.close(close::INTERNAL, "this hero is set aside for repair, nothing is lost");
            return;
        };
        // One socket a stream: the older one of the same device is a ghost.
        for device in resident.devices.iter().filter(|device| device.stream_id == stream_id) {
            device.outbox.close(close::NORMAL, "this device opened another socket");
        }
        resident.devices.retain(|device| device.stream_id != stream_id);
        let hero = self.simulation.hero(resident.entity);
        let catalogue = &self.parts.catalogue;
        // A device that never did anything here may have seen another hero until now, one that became part of this one:
        // what it has seen of that says nothing of what it misses here.
        let is_same_hero = hero.kin.is_none() || resident.streams.applied(stream_id) > 0;
        let last_seq = last_seq.filter(|_| is_same_hero);
        let missed =
            last_seq.and_then(|last_seq| resident.since(last_seq).map(|events| (last_seq + 1, events)));
        let state = match missed {
            Some((first, events)) => {
                WelcomeState::Events(Box::new(convert::events(first, &events, &hero, catalogue, now_ms)))
            }
            None => {
                let view = convert::hero_view(&hero, &id.to_string(), catalogue, now_ms);
                WelcomeState::Snapshot(Box::new(view))
            }
        };
        let welcome = Welcome {
            connection_id: outbox.connection_id.to_string(),
            seq: resident.seq,
            cmd_seq_applied: resident.streams.applied(stream_id),
            state,
            catalogue_version: self.parts.catalogue.version,
            server_now_ms: now_ms,
            tick_hz: self.parts.tick_hz,
            read_only: self.read_only,
            other_devices: count(resident.devices.len()),
        };
        let catalogue_version = welcome.catalogue_version;
        let frame = codec::encode_server(&ServerMessage::Welcome(Box::new(welcome)));
        let welcomed_seq = resident.seq;
        // Most have one device: no room for more before they come.
        resident.devices.reserve_exact(1);
        resident.devices.push(Device {
            outbox: Arc::clone(&outbox),
            stream_id,
            welcomed_seq,
            is_welcomed: false,
            repeats: 0,
        });
        self.tell(id, Output::Welcome { hero: id, outbox, frame, catalogue_version });
        self.leave_if_over(id);
        self.tell_at(id);
        if let Some(resident) = self.heroes.get(&id) {
            // Many come only to look.
            self.simulation.pack(resident.entity);
        }
    }

    /// Tells every device of a hero whether it can save, how many others there are, and what operators published.
    pub(super) fn tell_status(&self, id: HeroId) {
        let Some(resident) = self.heroes.get(&id) else { return };
        let other_devices = count(resident.devices.len().saturating_sub(1));
        let status = Status {
            read_only: self.read_only,
            other_devices,
            catalogue_version: self.parts.catalogue.version,
            notice: self.notice_now().cloned(),
        };
        let frame = codec::encode_server(&ServerMessage::Status(status));
        // At once: while the store is away nothing becomes durable, and this is when it must be known.
        for device in resident.devices.iter().filter(|device| device.is_welcomed) {
            device.outbox.push(frame.clone());
        }
    }

    /// Tells now what is durable already, and the rest when it is.
    pub(super) fn tell(&mut self, id: HeroId, output: Output) {
        let ticket = self.heroes.get(&id).map_or(self.watermark, |resident| resident.ticket);
        if ticket <= self.watermark || cfg!(feature = "broken-ack-before-flush") {
            self.release(output);
        } else {
            // In order of tickets, which is not the order of coming: a hero's last ticket may be an old one. Nearly
            // always it belongs at the end.
            let place = self.waiting.partition_point(|(waiting, _)| *waiting <= ticket);
            self.waiting.insert(place, (ticket, output));
        }
    }

    pub(in crate::shard) fn settled(&mut self, notices: Vec<Notice>, watermark: Ticket) {
        for notice in notices {
            match notice {
                Notice::Fenced(fences) => {
                    for fence in fences {
                        let is_ours =
                            |hero: &Resident| hero.hold != Hold::Follower && hero.epoch <= fence.epoch;
                        if self.heroes.get(&fence.hero).is_some_and(|hero| is_ours(hero)) {
                            self.parts.metrics.fences_total.increment();
                            self.drop_hero(fence.hero, close::MOVED, "another server owns this hero now");
                        }
                    }
                }
                Notice::Poisoned { hero, .. } => {
                    self.drop_hero(
                        hero,
                        close::INTERNAL,
                        "this hero is set aside for repair, nothing is lost",
                    );
                }
                Notice::ReadOnly(read_only) => self.read_only(read_only),
            }
        }
        self.watermark = watermark;
        while self.waiting.front().is_some_and(|(ticket, _)| *ticket <= watermark) {
            if let Some((_, output)) = self.waiting.pop_front() {
                self.release(output);
            }
        }
        self.give_back_settled();
        self.finish_drain();
    }

    fn release(&mut self, output: Output) {
        match output {
            Output::Welcome { hero, outbox, frame, catalogue_version } => {
                outbox.push(frame);
                let Some(resident) = self.heroes.get_mut(&hero) else { return };
                for device in &mut resident.devices {
                    device.is_welcomed |= device.outbox.connection_id == outbox.connection_id;
                }
                // The only device of a hero knows all of it from its welcome, unless that is old or there are words for it.
                let is_old = catalogue_version != self.parts.catalogue.version;
                let is_alone = resident.devices.len() <= 1;
                if !is_alone || self.read_only || is_old || self.notice_now().is_some() {
                    self.tell_status(hero);
                }
            }
            Output::Repeat { hero, outbox, frame } => {
                let devices =
                    self.heroes.get_mut(&hero).map_or(&mut [][..], |resident| &mut resident.devices);
                let same = |device: &&mut Device| device.outbox.connection_id == outbox.connection_id;
                if let Some(device) = devices.iter_mut().find(same) {
                    device.repeats = device.repeats.saturating_sub(1);
                }
                outbox.push(frame);
            }
            Output::Acknowledge(outbox, frame, mut received) => {
                received.on_way(Way::durable);
                self.parts.metrics.command_ack_seconds.record_duration(received.at.elapsed());
                self.parts.metrics.commands_total.of(CommandOutcome::Durable).increment();
                outbox.push(frame);
            }
            Output::Devices { hero, seq, frame } => {
                let devices = self.heroes.get(&hero).map_or(&[][..], |resident| &resident.devices);
                for device in devices.iter().filter(|device| device.welcomed_seq < seq) {
                    device.outbox.push(frame.clone());
                }
            }
            Output::Repriced { hero, frame } => {
                let devices = self.heroes.get(&hero).map_or(&[][..], |resident| &resident.devices);
                for device in devices.iter().filter(|device| device.is_welcomed) {
                    device.outbox.push(frame.clone());
                }
            }
            Output::Progress { hero, frame } => {
                let devices = self.heroes.get(&hero).map_or(&[][..], |resident| &resident.devices);
                for device in devices.iter().filter(|device| device.is_welcomed) {
                    device.outbox.progress(frame.clone());
                }
            }
            Output::Acted { answer, acted, .. } => {
                // Whoever asked may have given up; it is done all the same.
                let _gone = answer.send(Ok(*acted));
            }
            Output::Leave { hero } => {
                let devices = self.heroes.get(&hero).map_or(&[][..], |resident| &resident.devices);
                for device in devices {
                    device
                        .outbox
                        .close(close::MOVED, "this hero is part of an account's now, please come back");
                }
            }
        }
    }

    fn read_only(&mut self, read_only: bool) {
        self.read_only = read_only;
        self.heroes.values_mut().for_each(|resident| resident.is_held = false);
        let heroes: Vec<_> = self.heroes.keys().copied().collect();
        for id in heroes {
            self.tell_status(id);
        }
    }

    pub(super) fn draining(&self) -> bool {
        self.drained || self.draining.is_some()
    }

    /// Takes no more commands, gives the journal a snapshot of every changed hero, and answers when all is settled.
    pub(in crate::shard) fn drain(&mut self, done: oneshot::Sender<()>) {
        let dirty: Vec<_> = self.owned().filter(|(_, hero)| hero.is_dirty()).map(|(id, _)| id).collect();
        for id in dirty {
            // Without room the events alone will do.
            let _taken = self.snapshot(id);
        }
        for Entering { attach, .. } in std::mem::take(&mut self.entering).into_values() {
            send_away(&attach.outbox);
        }
        for Loading { attaches, acts, .. } in std::mem::take(&mut self.loading).into_values() {
            attaches.iter().for_each(|attach| send_away(&attach.outbox));
            refuse_acts(acts, || ActFailed::Busy);
        }
        self.draining = Some(done);
        self.finish_drain();
    }

    fn finish_drain(&mut self) {
        if !self.waiting.is_empty() {
            return;
        }
        let Some(done) = self.draining.take() else { return };
        self.drained = true;
        for resident in self.heroes.values() {
            for device in &resident.devices {
                send_away(&device.outbox);
            }
        }
        // Whoever asked may have run out of time.
        let _late = done.send(());
    }
}

fn count(devices: usize) -> u32 {
    u32::try_from(devices).unwrap_or(u32::MAX)
}

/// Asks a device to come back to another server, or to this one when it is up again.
pub(crate) fn send_away(outbox: &Outbox) {
    outbox.send_away(spread(outbox.connection_id), "this server is stopping");
}

/// Spreads reconnects evenly over the sockets. The first ones come when this server's heroes are free already.
fn spread(connection_id: u64) -> u32 {
    let slot = u32::try_from(connection_id % 97).expect("below 97");
    250 + slot * (RECONNECT_SPREAD_MS / 97)
}
