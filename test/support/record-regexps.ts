/** Every regular expression that some work runs, of the libraries it calls too, also those put together at run time. */
export function recordRegexps(work: () => unknown): RegExp[] {
  const found = new Map<string, RegExp>()
  const { exec } = RegExp.prototype
  // All methods of strings and regular expressions end here where it is not the built-in one (ECMA-262 §22.2.7.1).
  RegExp.prototype.exec = function (this: RegExp, text: string) {
    found.set(String(this), this)
    return exec.call(this, text)
  }
  try {
    work()
  } finally {
    RegExp.prototype.exec = exec
  }
  return [...found.values()]
}
