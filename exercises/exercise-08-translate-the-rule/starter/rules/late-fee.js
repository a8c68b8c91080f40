// The late fee, in øre. - Ingrid
//
// `days` counts from the day on which the book is due: 3 is three days late, -3 is three days early.
// Whoever is early earns a little credit, so a fee may be below 0. Nobody ever pays more than 3000 øre.
function lateFee(days) {
  const weeks = Math.trunc(days / 7);
  const rest = days % 7;
  let fee = weeks * 90 + rest * 15;
  if (days > 14) {
    fee += 100; // the letter that reminds the reader
  }
  return Math.min(fee, 3000);
}
