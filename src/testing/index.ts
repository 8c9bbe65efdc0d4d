export { SimulatedTime } from './simulated-time.js';
export { FakeConnection, type ConnectionReports, type FakeConnectionOptions } from './fake-connection.js';
export type { ContractCase, Disposable, Skip } from './contract.js';
export { connectionContract } from './connection-contract.js';
export type { ConnectionFixture, ContractPeer, Incapability, OpenConnection } from './connection-fixture.js';
export { quotaLedgerContract, type LedgerFixture, type MakeLedger } from './ledger-contract.js';
