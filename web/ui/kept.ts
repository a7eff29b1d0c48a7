// What a page keeps on this device over reloads and without network: a small store in IndexedDB.

const asPromise = <T>(request: IDBRequest<T>) =>
  new Promise<T>((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the device keeps nothing'));
  });

/** Values of one kind under keys of their own. */
export class Kept<T> {
  readonly #table: string;
  readonly #open: () => Promise<IDBDatabase>;

  constructor(database: string, tables: readonly string[], table: string) {
    this.#table = table;
    let opened: Promise<IDBDatabase> | undefined;
    this.#open = () =>
      (opened ??= new Promise((resolve, reject) => {
        const request = indexedDB.open(database, 1);
        request.onupgradeneeded = () => tables.forEach((name) => request.result.createObjectStore(name));
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error ?? new Error('the device keeps nothing'));
      }));
  }

  async all(): Promise<T[]> {
    return asPromise((await this.#open()).transaction(this.#table).objectStore(this.#table).getAll() as IDBRequest<T[]>);
  }

  async get(key: string): Promise<T | undefined> {
    return asPromise((await this.#open()).transaction(this.#table).objectStore(this.#table).get(key) as IDBRequest<T | undefined>);
  }

  /** Kept for good when this returns. */
  put(key: string, value: T): Promise<void> {
    return this.#write((table) => void table.put(value, key));
  }

  /** The same, once: throws when something is kept under this key already, whichever window put it there. */
  add(key: string, value: T): Promise<void> {
    return this.#write((table) => void table.add(value, key));
  }

  delete(key: string): Promise<void> {
    return this.#write((table) => void table.delete(key));
  }

  clear(): Promise<void> {
    return this.#write((table) => void table.clear());
  }

  async #write(work: (table: IDBObjectStore) => void): Promise<void> {
    const transaction = (await this.#open()).transaction(this.#table, 'readwrite', { durability: 'strict' });
    const done = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error('the device keeps nothing'));
    });
    work(transaction.objectStore(this.#table));
    return done;
  }
}
