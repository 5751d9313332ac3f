package dev.jformer.data.incontext;

/** A solver's run that keeps the means of x xᵀ and of y x, of which it makes weights. */
abstract class NormalEquations implements Learner.Run {
  private final double[][] squares;
  private final double[] products;
  private int count;

  NormalEquations(int inputs) {
    squares = new double[inputs][inputs];
    products = new double[inputs];
  }

  /** The weights for the mean of x xᵀ and that of y x. */
  abstract double[] weights(double[][] square, double[] product);

  @Override
  public double predict(double[] x) {
    int n = products.length;
    double[][] square = new double[n][n];
    double[] product = new double[n];
    for (int i = 0; i < n && count > 0; i++) {
      product[i] = products[i] / count;
      for (int j = 0; j < n; j++) {
        square[i][j] = squares[i][j] / count;
      }
    }
    return Draws.dot(weights(square, product), x);
  }

  @Override
  public void observe(double[] x, double y) {
    count++;
    for (int i = 0; i < products.length; i++) {
      products[i] += y * x[i];
      for (int j = 0; j < products.length; j++) {
        squares[i][j] += x[i] * x[j];
      }
    }
  }
}
