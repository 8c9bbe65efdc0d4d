import type { Admission, AdmitOptions, PendingAdmission } from './admission/outcome.js';
import type { Connected, ConnectOptions } from './admission/connector.js';
import type { EmergencyCleanupResult, EvictionRequest } from './cleanup/emergency-run.js';
import type { CleanupRequest, CleanupResult } from './cleanup/requested.js';
import type { ContextFields } from './identity/user-execution-context.js';
import type { Connection } from './managers/connection.js';
import type { WebSocketManager } from './managers/manager.js';

/**
 * The operations of a Mooring under the names of the sketch that it grew from. New code calls the Mooring itself; the
 * guide docs/guides/from-the-seed.md has both names side by side.
 */

/** What the names stand for: a Mooring, as far as they need it. Its own type would make a circle of imports. */
interface Named {
  readonly isDraining: boolean;
  readonly managerCount: number;
  readonly userCount: number;
  readonly waitingCount: number;
  readonly closingCount: number;
  admit(fields: ContextFields, options?: AdmitOptions): Admission | PendingAdmission;
  connect(transport: Connection, fields: ContextFields, options?: ConnectOptions): Promise<Connected>;
  disconnect(fields: ContextFields): boolean;
  createManager(fields: ContextFields): Promise<WebSocketManager>;
  getManager(of: ContextFields | string): WebSocketManager | undefined;
  managersOf(userId: string): WebSocketManager[];
  managerCountOf(userId: string): number;
  limitOf(userId: string): number;
  waitingCountOf(userId: string): number;
  users(): Set<string>;
  managersByUser(): Iterable<readonly [userId: string, managers: ReadonlyMap<string, WebSocketManager>]>;
  release(of: ContextFields | string): boolean;
  releaseAll(userId: string): number;
  cleanup(userId: string, request?: CleanupRequest): Promise<CleanupResult>;
  emergencyCleanup(userId: string, wanted?: EvictionRequest): Promise<EmergencyCleanupResult>;
  previewEmergencyCleanup(userId: string, wanted?: EvictionRequest): Promise<CleanupResult>;
}

/** Other names for the operations of one Mooring. */
class Alias {
  /** @internal */
  constructor(protected readonly mooring: Named) {}
}

/** `mooring.factory`. */
export class WebSocketManagerFactory extends Alias {
  /** `mooring.isDraining` */
  get isDraining(): boolean {
    return this.mooring.isDraining;
  }

  /** `mooring.managerCount` */
  get managerCount(): number {
    return this.mooring.managerCount;
  }

  /** `mooring.userCount` */
  get userCount(): number {
    return this.mooring.userCount;
  }

  /** `mooring.waitingCount` */
  get waitingCount(): number {
    return this.mooring.waitingCount;
  }

  /** `mooring.admit` */
  admit(fields: ContextFields, options?: AdmitOptions): Admission | PendingAdmission {
    return this.mooring.admit(fields, options);
  }

  /** `mooring.createManager` */
  createManager(fields: ContextFields): Promise<WebSocketManager> {
    return this.mooring.createManager(fields);
  }

  /** `mooring.getManager` */
  getManager(of: ContextFields | string): WebSocketManager | undefined {
    return this.mooring.getManager(of);
  }

  /** `mooring.managerCountOf` */
  getUserManagerCount(userId: string): number {
    return this.mooring.managerCountOf(userId);
  }

  /** `mooring.managersOf` */
  getUserManagers(userId: string): WebSocketManager[] {
    return this.mooring.managersOf(userId);
  }

  /** `mooring.users` */
  getActiveUsers(): Set<string> {
    return this.mooring.users();
  }

  /** `mooring.managersByUser` */
  managersByUser(): Iterable<readonly [userId: string, managers: ReadonlyMap<string, WebSocketManager>]> {
    return this.mooring.managersByUser();
  }

  /** `mooring.limitOf` */
  limitOf(userId: string): number {
    return this.mooring.limitOf(userId);
  }

  /** `mooring.waitingCountOf` */
  getWaitingCount(userId: string): number {
    return this.mooring.waitingCountOf(userId);
  }

  /** `mooring.release`, by isolation key */
  cleanupManager(key: string): boolean {
    return this.mooring.release(key);
  }

  /** `mooring.release`, by context */
  cleanupManagerByContext(context: ContextFields): boolean {
    return this.mooring.release(context);
  }

  /** `mooring.releaseAll` */
  cleanupAllUserManagers(userId: string): number {
    return this.mooring.releaseAll(userId);
  }

  /** `mooring.emergencyCleanup` */
  emergencyCleanup(userId: string, wanted?: EvictionRequest): Promise<EmergencyCleanupResult> {
    return this.mooring.emergencyCleanup(userId, wanted);
  }

  /** `mooring.cleanup` */
  cleanup(userId: string, request?: CleanupRequest): Promise<CleanupResult> {
    return this.mooring.cleanup(userId, request);
  }

  /** `mooring.previewEmergencyCleanup` */
  previewEmergencyCleanup(userId: string, wanted?: EvictionRequest): Promise<CleanupResult> {
    return this.mooring.previewEmergencyCleanup(userId, wanted);
  }
}

/** `mooring.connections`. */
export class WebSocketConnectionManager extends Alias {
  /** `mooring.closingCount` */
  get closingCount(): number {
    return this.mooring.closingCount;
  }

  /** `mooring.connect` */
  connect(transport: Connection, fields: ContextFields, options?: ConnectOptions): Promise<Connected> {
    return this.mooring.connect(transport, fields, options);
  }

  /** `mooring.disconnect` */
  disconnect(fields: ContextFields): boolean {
    return this.mooring.disconnect(fields);
  }
}
