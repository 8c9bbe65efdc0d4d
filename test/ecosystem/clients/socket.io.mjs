import { reconnectWhenTold } from 'mooring/client';
import { io } from 'socket.io-client';

/** @param {import('../types.js').ClientTask} task */
export function connect({ port, way, user, thread, isIn, ended }) {
  const transports = way === 'upgrade' ? ['polling', 'websocket'] : [way];
  const socket = io(`http://127.0.0.1:${port}`, { auth: { user, thread }, transports, forceNew: true });
  reconnectWhenTold(socket);
  socket.on('connect', async () => {
    const { engine } = socket.io;
    if (way === 'upgrade' && engine.transport.name === 'polling')
      await new Promise((resolve) => engine.once('upgrade', resolve));
    socket.emit('echo', 'hello', isIn);
  });
  const leave = () => socket.disconnect();
  socket.on('mooring', ({ cause }) => ended({ text: `mooring ${cause}` }));
  socket.on('connect_error', (error) => {
    ended({ text: `connect_error ${error.message}` });
    leave();
  });
  socket.on('disconnect', (reason) => {
    ended({ text: `disconnect ${reason}` });
    leave();
  });
  return leave;
}
