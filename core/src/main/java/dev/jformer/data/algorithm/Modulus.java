package dev.jformer.data.algorithm;

import dev.jformer.config.Checks;

/** Arithmetic of the remainders by a prime. */
final class Modulus {
  private final int prime;
  private final int[] inverses;

  Modulus(int prime) {
    Checks.between("modulus", prime, 2, 97);
    Checks.check(isPrime(prime), "modulus", prime, "a prime, so that there is division");
    this.prime = prime;
    inverses = new int[prime];
    for (int a = 1; a < prime; a++) {
      for (int b = 1; b < prime; b++) {
        if (a * b % prime == 1) {
          inverses[a] = b;
        }
      }
    }
  }

  private static boolean isPrime(int number) {
    for (int divisor = 2; divisor * divisor <= number; divisor++) {
      if (number % divisor == 0) {
        return false;
      }
    }
    return true;
  }

  int minus(int a, int b) {
    return Math.floorMod(a - b, prime);
  }

  int times(int a, int b) {
    return a * b % prime;
  }

  /** The quotient; b is not 0. */
  int over(int a, int b) {
    return times(a, inverses[b]);
  }
}
