@echo off
rem Runs the vmferry command by the Java of JAVA_HOME, or by that of the PATH: 25 or newer.
setlocal
set "JAVA=java"
if defined JAVA_HOME set "JAVA=%JAVA_HOME%\bin\java"
"%JAVA%" --enable-native-access=ALL-UNNAMED "-Djava.security.properties=%~dp0..\lib\security.properties" -XX:+UseSerialGC -cp "%~dp0..\lib\*" org.vmferry.cli.Main %*
