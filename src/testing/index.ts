export { SimulatedTime } from './simulated-time.js';
export { FakeConnection, type FakeConnectionOptions } from './fake-connection.js';
