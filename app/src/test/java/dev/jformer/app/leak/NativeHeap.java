package dev.jformer.app.leak;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Structure;

/** What the C library's allocator has handed out. Known for glibc 2.33 and later only. */
final class NativeHeap {
  private NativeHeap() {}

  /** The result of {@code mallinfo2}. */
  @Structure.FieldOrder({
    "arena",
    "ordblks",
    "smblks",
    "hblks",
    "hblkhd",
    "usmblks",
    "fsmblks",
    "uordblks",
    "fordblks",
    "keepcost"
  })
  @SuppressWarnings("checkstyle:MemberName")
  public static final class Information extends Structure implements Structure.ByValue {
    public long arena;
    public long ordblks;
    public long smblks;
    public long hblks;
    public long hblkhd;
    public long usmblks;
    public long fsmblks;
    public long uordblks;
    public long fordblks;
    public long keepcost;
  }

  /** Bytes in use; -1 if unknown. */
  static long bytes() {
    try {
      Function function = NativeLibrary.getProcess().getFunction("mallinfo2");
      Information found = (Information) function.invoke(Information.class, new Object[0]);
      return found.uordblks + found.hblkhd;
    } catch (UnsatisfiedLinkError e) {
      return -1;
    }
  }
}
