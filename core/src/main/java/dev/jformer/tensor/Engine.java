package dev.jformer.tensor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.mkl.global.mkl_rt;
import org.bytedeco.pytorch.global.torch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The native engine: loads libtorch once, with the BLAS and thread settings that make it fast.
 *
 * <p>Left to its defaults, libtorch in a JVM uses OpenBLAS, whose own threads fight those of
 * OpenMP: a small GPT's training step then runs three to five times slower than it should. Where
 * MKL is on the class path it is used instead, on the same OpenMP runtime as libtorch itself, and
 * the thread count is the number of physical cores this process may use. Nothing has to be set by
 * the user; {@code -Djformer.threads=N} and {@code -Djformer.blas=openblas|mkl} override.
 */
public final class Engine {
  private static final Logger LOG = LoggerFactory.getLogger(Engine.class);
  private static final String OPENBLAS_LOAD = "org.bytedeco.openblas.load";
  private static final int MKL_THREADING_GNU = 3;

  private static volatile int threads;
  private static final String BLAS = load();

  private Engine() {}

  /** Loads the native libraries if that has not happened yet. */
  public static void start() {
    // Calling this runs the static initialiser, which does all the work.
  }

  /** Number of threads that one operator uses. */
  public static int threads() {
    return threads;
  }

  /**
   * Opens a mode in which operators of the calling thread run in that thread alone. It is for work
   * on single vectors, as in decoding: waking other threads costs more than they save there, and
   * large matrices are shared out by {@link WorkerPool} instead. MKL counts threads of its own; on
   * an EPYC it woke them for the smallest products, and they spun on the core that a lane needed
   * next: a step of decoding took 120 ms instead of 25.
   */
  public static Mode singleThreaded() {
    int before = torch.get_num_threads();
    torch.set_num_threads(1);
    int beforeInBlas = Blas.threads(1);
    return () -> {
      Blas.threads(beforeInBlas);
      torch.set_num_threads(before);
    };
  }

  /**
   * Sets the number of threads that one operator uses. Results of a run are reproducible bit for
   * bit only at the same number.
   *
   * @throws IllegalArgumentException if {@code threads} is not positive
   */
  public static void setThreads(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads is " + threads + ": expected at least 1");
    }
    Engine.threads = threads;
    torch.set_num_threads(threads);
    if (BLAS.equals("mkl")) {
      mkl_rt.MKL_Set_Num_Threads(threads);
    }
  }

  /** The BLAS in use: {@code mkl} or {@code openblas}. */
  public static String blas() {
    return BLAS;
  }

  /** The version of libtorch and of its binding, for example {@code 2.10.0-1.5.13}. */
  public static String version() {
    try {
      return Loader.getVersion("org.bytedeco", "pytorch");
    } catch (IOException e) {
      return "unknown";
    }
  }

  /**
   * Bytes of memory resident in this process, Java heap and native memory together; 0 where
   * unknown.
   */
  public static long residentBytes() {
    return Pointer.physicalBytes();
  }

  /** Number of physical cores that this process may use. */
  public static int physicalCores() {
    int available = Runtime.getRuntime().availableProcessors();
    Path topology = Path.of("/proc/cpuinfo");
    if (!Files.isReadable(topology)) {
      return available;
    }
    try {
      Set<String> cores = new HashSet<>();
      String socket = "0";
      for (String line : Files.readAllLines(topology)) {
        if (line.startsWith("physical id")) {
          socket = line;
        } else if (line.startsWith("core id")) {
          cores.add(socket + line);
        }
      }
      return cores.isEmpty() ? available : Math.min(available, cores.size());
    } catch (IOException e) {
      return available;
    }
  }

  /**
   * Whether the processor is made by AMD, where some of MKL's kernels are slower; false where
   * unknown.
   */
  static boolean isAmd() {
    return describesProcessor("AuthenticAMD");
  }

  /**
   * Whether the processor has instructions for products in bfloat16; false where unknown. Without
   * them such products take many times as long as those in float32 (on an EPYC with AVX2 75 times
   * for 512 x 512).
   */
  public static boolean hasBfloat16() {
    return describesProcessor("avx512_bf16") || describesProcessor("amx_bf16");
  }

  private static boolean describesProcessor(String text) {
    Path description = Path.of("/proc/cpuinfo");
    try {
      return Files.isReadable(description) && Files.readString(description).contains(text);
    } catch (IOException e) {
      return false;
    }
  }

  private static String load() {
    String wanted = System.getProperty("jformer.blas", "");
    if (!Set.of("", "mkl", "openblas").contains(wanted)) {
      throw new IllegalArgumentException(
          "-Djformer.blas=" + wanted + " is unknown: expected mkl or openblas");
    }
    boolean mkl =
        !wanted.equals("openblas") && System.getProperty(OPENBLAS_LOAD) == null && mklPresent();
    if (wanted.equals("mkl") && !mkl) {
      throw new IllegalArgumentException(
          "-Djformer.blas=mkl was given, but MKL for this platform is not on the class path: add"
              + " org.bytedeco:mkl with its platform classifier, or use openblas");
    }
    // The presets measure the whole process' memory against the Java heap's limit and would stop
    // a run whose native tensors are larger than that.
    if (System.getProperty("org.bytedeco.javacpp.maxPhysicalBytes") == null) {
      System.setProperty("org.bytedeco.javacpp.maxPhysicalBytes", "0");
    }
    NativeCache.prepare();
    try (NativeCache.Turn turn =
        NativeCache.turn(version() + "-" + platform() + (mkl ? "-mkl" : ""))) {
      loadLibraries(mkl);
      turn.done();
    } catch (UnsatisfiedLinkError e) {
      throw new IllegalStateException(
          "the native libraries for "
              + Loader.getPlatform()
              + " could not be loaded ("
              + e.getMessage()
              + "): "
              + NativeCache.place()
              + " needs 1 GB of space, and the class path org.bytedeco:pytorch with this platform's"
              + " classifier",
          e);
    }
    Allocator.keepFreedMemory();
    threads = Integer.getInteger("jformer.threads", physicalCores());
    torch.set_num_threads(threads);
    if (mkl) {
      mkl_rt.MKL_Set_Num_Threads(threads);
    }
    LOG.debug("libtorch {} with {}, {} threads", version(), mkl ? "mkl" : "openblas", threads);
    return mkl ? "mkl" : "openblas";
  }

  private static void loadLibraries(boolean mkl) {
    if (mkl) {
      System.setProperty(OPENBLAS_LOAD, "mkl_rt");
      Loader.load(mkl_rt.class);
      if (Loader.getPlatform().startsWith("linux")) {
        mkl_rt.MKL_Set_Threading_Layer(MKL_THREADING_GNU);
      }
    }
    Loader.load(torch.class);
  }

  /** The platform whose libraries are loaded, with {@code -gpu} if those for GPUs are there. */
  private static String platform() {
    String platform = Loader.getPlatform();
    String library = "org/bytedeco/pytorch/" + platform + "-gpu/libtorch_cuda.so";
    return Engine.class.getClassLoader().getResource(library) == null
        ? platform
        : platform + "-gpu";
  }

  private static boolean mklPresent() {
    String platform = Loader.getPlatform();
    String library = platform.startsWith("windows") ? "mkl_rt.2.dll" : "libmkl_rt.so.2";
    ClassLoader loader = Engine.class.getClassLoader();
    return loader.getResource("org/bytedeco/mkl/" + platform + "/" + library) != null;
  }
}
