/** Something the user can mend; its message is whole sentences with the remedy and is shown without a stack. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
}
