/** Studies of papers on compression. */
package dev.jformer.studies.compression;
