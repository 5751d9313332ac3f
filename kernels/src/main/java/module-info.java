/**
 * Products of few rows of floats with matrices of few bits, in the Vector API. It is apart from the
 * rest because that API is in an incubating module, whose use is a warning at compile time. To
 * require it would warn those who require this module, too: it is read by an option of the compiler
 * and, at run time, from {@link dev.jformer.kernels.VectorApi} on.
 */
@SuppressWarnings("module") // the module that reads it is built later
module dev.jformer.kernels {
  exports dev.jformer.kernels to
      dev.jformer.core;
}
