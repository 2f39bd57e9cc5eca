// SPDX-License-Identifier: Apache-2.0
package peer;

import com.sun.net.httpserver.HttpServer;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URL;
import java.nio.charset.StandardCharsets;

/**
 * An HTTP server of the JDK that answers N requests, each of which it sends itself, and ends. It knows nothing of
 * OpenTelemetry: spans come from the Java agent.
 */
public final class Server {
  public static void main(String[] arguments) throws Exception {
    int count = Integer.parseInt(arguments[0]);
    HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/item",
        exchange -> {
          byte[] body = "hello".getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(exchange.getRequestURI().getPath().endsWith("/missing") ? 404 : 200, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
    for (int index = 0; index < count; index++) {
      String path = index % 4 == 3 ? "/item/missing" : "/item/" + index;
      URL url = new URL("http", "127.0.0.1", server.getAddress().getPort(), path);
      HttpURLConnection connection = (HttpURLConnection) url.openConnection();
      InputStream answer = connection.getResponseCode() < 400 ? connection.getInputStream() : connection.getErrorStream();
      answer.readAllBytes();
      answer.close();
    }
    server.stop(0);
  }

  private Server() {}
}
