/** The command line. */
@SuppressWarnings("requires-automatic")
open module dev.jformer.app {
  requires com.fasterxml.jackson.dataformat.yaml;
  requires de.siegmar.fastcsv;
  requires dev.jformer.studies;
  requires info.picocli;
  requires me.tongfei.progressbar;
  requires org.bytedeco.pytorch;
}
