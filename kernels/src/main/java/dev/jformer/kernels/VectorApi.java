package dev.jformer.kernels;

import java.util.Optional;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Says whether kernels in the Vector API are fast in this process. It needs {@code --add-modules
 * jdk.incubator.vector}, the optimising compiler, and vectors of eight floats or more. {@code
 * -Djformer.vectors=false} turns them off.
 */
public final class VectorApi {
  private static final String MODULE = "jdk.incubator.vector";
  private static final int FEWEST_LANES = 8;
  private static final boolean USED =
      !System.getProperty("jformer.vectors", "true").equals("false")
          && isOptimising()
          && isPresent();

  private VectorApi() {}

  /** The vectors that kernels compute with; apart, as the API may be absent. */
  static final class Species {
    static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;

    /** As many bytes as there are floats. */
    static final VectorSpecies<Byte> BYTES =
        VectorSpecies.of(byte.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / Float.BYTES));

    private Species() {}
  }

  /** Whether the kernels are fast here. */
  public static boolean isUsed() {
    return USED;
  }

  /** Whether the kernels can run here, fast or not. */
  public static boolean isPresent() {
    Optional<Module> module = ModuleLayer.boot().findModule(MODULE);
    if (module.isEmpty()) {
      return false;
    }
    VectorApi.class.getModule().addReads(module.get());
    return FloatVector.SPECIES_PREFERRED.length() >= FEWEST_LANES;
  }

  /** Without its optimising compiler, Java makes an object of each vector. */
  private static boolean isOptimising() {
    String info = System.getProperty("java.vm.info", "");
    return !info.contains("emulated-client") && !info.contains("interpreted");
  }
}
