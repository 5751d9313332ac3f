package dev.jformer.data.image;

/**
 * An affine map of the plane that says where in an image each point of the result comes from: the
 * point (u, v) comes from (a u + b v + c, d u + e v + f). Coordinates run from -1 to 1.
 */
record Affine(double a, double b, double c, double d, double e, double f) {
  static final Affine IDENTITY = new Affine(1, 0, 0, 0, 1, 0);

  static Affine mirror() {
    return new Affine(-1, 0, 0, 0, 1, 0);
  }

  static Affine move(double x, double y) {
    return new Affine(1, 0, x, 0, 1, y);
  }

  static Affine scale(double x, double y) {
    return new Affine(x, 0, 0, 0, y, 0);
  }

  static Affine shear(double x, double y) {
    return new Affine(1, x, 0, y, 1, 0);
  }

  static Affine rotate(double radians) {
    double cosine = Math.cos(radians);
    double sine = Math.sin(radians);
    return new Affine(cosine, -sine, 0, sine, cosine, 0);
  }

  /** The composition that applies {@code first}, then this map. */
  Affine after(Affine first) {
    return new Affine(
        a * first.a + b * first.d,
        a * first.b + b * first.e,
        a * first.c + b * first.f + c,
        d * first.a + e * first.d,
        d * first.b + e * first.e,
        d * first.c + e * first.f + f);
  }

  void write(float[] rows, int image) {
    double[] all = {a, b, c, d, e, f};
    for (int i = 0; i < all.length; i++) {
      rows[image * all.length + i] = (float) all[i];
    }
  }
}
