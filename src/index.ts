// The words
export {
  alertLevels,
  releaseReasons,
  type AlertLevel,
  type CleanupTrigger,
  type CloseCause,
  type Finding,
  type LedgerState,
  type ReleasedBy,
  type ReleaseReason,
  type StrategyName,
  type StrategyTally,
} from './core/vocabulary.js';

// Who a connection belongs to
export {
  createUserExecutionContext,
  type ContextFields,
  type UserExecutionContext,
} from './core/identity/user-execution-context.js';
export { isolationKey, parseIsolationKey, type KeyParts } from './core/identity/isolation-key.js';
export type { IdRules } from './core/identity/ids.js';

// The whole
export { createMooring, type MooringOptions } from './create-mooring.js';
export type { Mooring, ReleaseRequest, SuspectOutlook } from './core/mooring.js';
export type { UnsentBytes } from './core/liveness/heartbeat.js';

// Admission
export type {
  Admission,
  AdmitOptions,
  DecideOptions,
  PendingAdmission,
  WaitingPeer,
} from './core/admission/outcome.js';
export type { Arrival, ArrivalOrder } from './core/admission/arrival-order.js';
export { isPending } from './core/admission/outcome.js';
export type { Opening, Ticket } from './core/admission/ticket.js';
export {
  MemoryLedger,
  type LedgerAnswer,
  type LedgerConfig,
  type LedgerHost,
  type LedgerStatus,
  type QuotaClaim,
  type QuotaLedger,
} from './core/quota/quota-ledger.js';

// Managers and their connections
export type { Connected, ConnectOptions } from './core/admission/connector.js';
export type {
  AttachedConnection as ManagedConnection,
  ManagerState,
  Release,
  ReleaseHook,
  WebSocketManager,
} from './core/managers/manager.js';
export type { Hold, HoldOptions } from './core/managers/hold.js';
export type { Closer } from './core/managers/closing.js';
export type { Connection } from './core/managers/connection.js';
export type { LimitOf } from './core/managers/limits.js';

// Pressure
export type { UserResources, WebSocketResourceMonitor } from './core/pressure/monitor.js';

// Cleanup
export type { BackgroundCleanup, BackgroundCleanupResult } from './core/cleanup/background.js';
export type { EmergencyCleanupResult, EvictionRequest } from './core/cleanup/emergency-run.js';
export type { BackgroundPreview, CleanupRequest, CleanupResult } from './core/cleanup/requested.js';
export type { Chosen } from './core/cleanup/tally.js';
export { isKeepalive, type Message } from './core/liveness/keepalive.js';
export type { IsKeepalive, Keepalives } from './core/liveness/keepalives.js';

// Success metrics
export { kpiTargets, type Kpi, type KpiName, type SuccessReport } from './core/kpis/kpi.js';

// Configuration
export {
  getCleanupConfig,
  type CleanupConfig,
  type ConfigSources,
  type LoadedConfig,
  type SettingSource,
} from './config/load-config.js';
export { loadProcessConfig, loadWebSocketConfig } from './create-mooring.js';
export type { SettingOverrides } from './core/setting-overrides.js';
export type { SettingName, WebSocketConfig } from './core/settings.js';
export { presets, type Environment, type Preset } from './core/presets.js';

// Events, errors, close codes
export type { JournalledEventName, MooringEventName, MooringEvents } from './core/event-table.js';
export type { EventStream, ListenOptions, MooringEvent, MooringListener } from './core/events.js';
export type { Journal, JournalEntry } from './core/diagnostics/journal.js';
export type { AdminAction } from './events/edge-events.js';
export {
  AuthenticationError,
  ConfigurationError,
  errorCodes,
  MalformedContextError,
  MooringError,
  QuotaExceededError,
  RefusalError,
  type ErrorCode,
  type FullQuota,
} from './core/errors.js';
export { closeCodes, type CloseCodes, type CloseDetail, type CloseFrame } from './core/close-codes.js';

// The names of the original sketch
export type { WebSocketConnectionManager, WebSocketManagerFactory } from './core/mooring.js';

// Time
export type { Clock, Random, Time, Timer } from './core/time.js';
export type { AsyncContexts } from './core/async-contexts.js';
