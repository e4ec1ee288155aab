// buzz shakes the phone, if it can and its owner has touched this page: before that, browsers refuse.
export function buzz(pattern: number | number[]): void {
  if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(pattern);
}
