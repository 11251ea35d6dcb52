/** The devices that may act for a hero, and the sockets that are open now. */

import type { CloseAsk, Device, Player, Socket } from '../api.gen';
import { useApi } from '../context';
import { Effect } from '../parts/effect';
import { Panel } from '../parts/page';
import { Table } from '../parts/table';
import { Time } from '../parts/time';

export function DevicesTab({ player, onChanged }: { player: Player; onChanged: () => void }) {
  const names = new Map(player.devices.map((device) => [device.device_id, device.name]));
  return (
    <>
      <Panel
        title="Sockets"
        about="Open on this server now. A player whose socket is closed comes back by itself within seconds, unless it is banned."
        actions={<CloseSocket player={player} socket={null} onChanged={onChanged} />}
      >
        <Table
          caption="Open sockets"
          rows={player.sockets}
          keyOf={(socket) => socket.connection_id}
          empty={player.owner === null ? 'None is open.' : `None is open on this server; the hero is in the memory of ${player.owner}.`}
          columns={[
            { name: 'Connection', isHead: true, cell: (socket) => <code>{socket.connection_id}</code> },
            { name: 'Device', cell: (socket) => deviceName(socket, names) },
            { name: 'Since', cell: (socket) => <Time ms={socket.connected_at_ms} /> },
            { name: 'Do', cell: (socket) => <CloseSocket player={player} socket={socket} onChanged={onChanged} /> },
          ]}
        />
      </Panel>
      <Panel title="Devices" about="Each has a token of its own and may act for this hero.">
        <Table<Device>
          caption="Devices"
          rows={player.devices}
          keyOf={(device) => device.device_id}
          empty="No device may act for this hero."
          columns={[
            { name: 'Name', isHead: true, cell: (device) => device.name },
            { name: 'Last seen', cell: (device) => <Time ms={device.last_seen_ms} as="relative" /> },
            { name: 'Made', cell: (device) => <Time ms={device.created_at_ms} /> },
            { name: 'Device', cell: (device) => <code>{device.device_id}</code> },
          ]}
        />
      </Panel>
    </>
  );
}

function deviceName(socket: Socket, names: ReadonlyMap<string, string>): string {
  if (socket.device_id === null) return 'unknown';
  return names.get(socket.device_id) ?? socket.device_id;
}

export function CloseSocket({ player, socket, onChanged }: { player: Player; socket: Socket | null; onChanged: () => void }) {
  const api = useApi();
  const which = socket === null ? 'all sockets' : `socket ${socket.connection_id}`;
  return (
    <Effect
      label={socket === null ? 'Close all' : 'Close'}
      name={`Close ${which}`}
      needs="support"
      title={`Close ${which}?`}
      says={
        <p>
          {socket === null ? 'Every connection of this hero is closed, on every server.' : 'This one connection is closed.'} The player’s page connects again by itself; nothing is lost, and a running session runs on.
        </p>
      }
      confirm={socket === null ? 'Close all' : 'Close it'}
      run={async (reason) => {
        const ask: CloseAsk = { reason, connection_id: socket?.connection_id ?? null };
        await api.post(`/v1/players/${player.row.hero_id}/close`, ask);
        return socket === null ? 'All sockets are closed.' : 'The socket is closed.';
      }}
      onDone={onChanged}
    />
  );
}
